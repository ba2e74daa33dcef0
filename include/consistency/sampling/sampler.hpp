// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>

#include <consistency/parameterization/kind.hpp>
#include <consistency/process/variance_exploding.hpp>
#include <consistency/tensor/random.hpp>

namespace consistency {

namespace detail {

/// f(x, t) for concept checks.
struct FunctionArchetype {
  template <Value X>
  X operator()(X const& x, Operand auto const&) const {
    return x;
  }
};

}  // namespace detail

/// Turns noise into a batch of samples by calls of f(x, t): sample i takes the draws of counter sample first
/// + i. `kind` is what f must be. The process, that of f, says where sampling begins and ends. Models:
/// OneStep, Multistep (of consistency functions), OdeSampler (of denoisers). docs/concepts/sampler.md
template <class S>
concept Sampler = requires(S const& sampler, detail::FunctionArchetype f, VarianceExploding process,
                           Shape const& shape, Key key, std::uint32_t first) {
  { S::kind } -> std::convertible_to<Kind>;
  {
    sampler.template operator()<Tensor<float>>(f, process, shape, key, first)
  } -> std::same_as<Tensor<float>>;
};

}  // namespace consistency
