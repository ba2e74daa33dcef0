// SHOULD_FAIL: a continuous-time method must know the metric
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

struct Cubic {
#ifndef SHOULD_FAIL
  static constexpr bool twice_differentiable = true;
#endif
  auto operator()(cm::Operand auto const& x, cm::Operand auto const& y) const {
    return sum_per_sample(square(x - y) * (1.0 + square(x - y)));
  }
};

cm::ContinuousConsistencyTraining const method{.f = cm::ConsistencyFunction{cm::Mlp{}}, .metric = Cubic{}};
