// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <consistency/sampling/sampler.hpp>

namespace consistency {

/// One evaluation: f(x_T, T) of noise x_T (Song et al. 2023, Section 3).
struct OneStep {
  static constexpr Kind kind = Kind::consistency_function;

  template <class X>
  X operator()(auto const& f, NoiseProcess auto const& process, Shape const& shape, Key key,
               std::uint32_t first) const {
    using S = typename X::Scalar;
    X const x = process.prior(normal<X>(shape, key, {0, first}));                 // (n, …)
    return f(x, X(shape.per_sample(), static_cast<S>(process.range().largest)));  // (n, …)
  }
};
static_assert(Sampler<OneStep>);

}  // namespace consistency
