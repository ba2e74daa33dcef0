// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstdint>

#include <consistency/parameterization/kind.hpp>
#include <consistency/process/variance_exploding.hpp>
#include <consistency/tensor/random.hpp>

namespace consistency {

namespace detail {

/// f(x, t) and X(x, t, r) for concept checks.
struct FunctionArchetype {
  template <Value X>
  X operator()(X const& x, Operand auto const&...) const {
    return x;
  }
};

}  // namespace detail

/// Turns noise z ~ N(0, I), (n, …), into a batch of samples by calls of f(x, t): what else is drawn for
/// sample i takes counter sample first + i and a draw above 0. `kind` is what f must be. The process, that of
/// f, says where sampling begins and ends. Models: OneStep, Multistep, WarmStart (of consistency functions),
/// FlowMapSampler (of flow maps), OdeSampler, EulerAncestral, DpmSolverPlusPlus2M (of denoisers).
/// docs/concepts/sampler.md
template <class S, class X = Tensor<float>>
concept Sampler = requires(S const& sampler, detail::FunctionArchetype f, VarianceExploding process,
                           X const& z, Key key, std::uint32_t first) {
  { S::kind } -> std::convertible_to<Kind>;
  { sampler(f, process, z, key, first) } -> std::same_as<X>;
};

namespace detail {

/// A time for each sample of x (n, …): (n, 1, …).
template <class X>
X time_column(X const& x, double t) {
  return X(x.shape().per_sample(), static_cast<typename X::Scalar>(t));
}

}  // namespace detail

}  // namespace consistency
