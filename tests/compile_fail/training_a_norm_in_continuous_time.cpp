// SHOULD_FAIL: Theorems 5 and 6 need a metric with second derivatives
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

cm::ConsistencyFunction const f{cm::Mlp{}};

#ifdef SHOULD_FAIL
cm::ContinuousConsistencyTraining const method{.f = f, .metric = cm::L1{}};
#else
cm::ContinuousConsistencyTraining const method{.f = f, .metric = cm::L2{}};
#endif
