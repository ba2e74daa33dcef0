// SHOULD_FAIL: the metric must be a Metric
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
struct Distance {
  double operator()(cm::Operand auto const&, cm::Operand auto const&) const { return 0; }
};
#else
struct Distance {
  auto operator()(cm::Operand auto const& x, cm::Operand auto const& y) const {
    return sum_per_sample(abs(x - y));
  }
};
#endif

using F = cm::ConsistencyFunction<cm::Mlp>;
using Method = cm::ConsistencyTraining<F, Distance>;
constexpr bool has_target = Method::has_target;
