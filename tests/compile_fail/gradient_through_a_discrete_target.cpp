// SHOULD_FAIL: StudentTarget belongs to ContinuousConsistencyDistillation
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

using F = cm::ConsistencyFunction<cm::Mlp>;
#ifdef SHOULD_FAIL
using Target = cm::StudentTarget;
#else
using Target = cm::AdaptiveEmaTarget;
#endif
using Method = cm::ConsistencyTraining<F, cm::L2, cm::GridTimes<>, cm::UniformWeighting, Target>;
constexpr bool has_target = Method::has_target;
