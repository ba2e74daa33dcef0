// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/autodiff/forward.hpp>
#include <consistency/metric/metric.hpp>

namespace consistency {

/// aᵀ H b of each sample, with H = ∂²d(x, y)/∂x² at x = y, the metric's curvature between equals: two forward
/// derivatives, one along a and one along b. With a on a tape it is the metric's Hessian–vector product H b
/// that flows back. For metrics that are twice differentiable.
template <class V>
V curvature(auto const& metric, V const& y, V const& a, V const& b) {
  using First = Dual<V>;
  auto const x = Dual<First>{First{y, b}, First{a}};
  return evaluated(metric(x, y)).tangent.tangent;
}

}  // namespace consistency
