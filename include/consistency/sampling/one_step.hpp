// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include <consistency/core/check.hpp>
#include <consistency/model/consistency_function.hpp>

namespace consistency {

/// One evaluation: f(x_T, T), x_T = T z (Song et al. 2023, Section 3).
struct OneStep {
  double sigma_max = 80;  ///< T

  void check() const { require_positive("OneStep", "sigma_max", sigma_max); }

  template <class X>
  X operator()(auto const& f, Shape const& shape, Key key, std::uint32_t first) const {
    using S = typename X::Scalar;
    check();
    X const x = sigma_max * normal<X>(shape, key, {0, first});      // (n, …)
    return f(x, X(shape.per_sample(), static_cast<S>(sigma_max)));  // (n, …)
  }
};

}  // namespace consistency
