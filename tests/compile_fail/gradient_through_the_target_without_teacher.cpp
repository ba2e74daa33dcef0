// SHOULD_FAIL: StudentTarget needs a teacher
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

using F = cm::ConsistencyFunction<cm::Mlp>;
#ifdef SHOULD_FAIL
using Target = cm::StudentTarget;
#else
using Target = cm::StopGradientTarget;
#endif
using Objective = cm::ContinuousObjective<F, cm::L2, cm::UniformDistribution, cm::UniformWeighting, Target,
                                          cm::DataVelocity>;
constexpr bool has_target = Objective::has_target;
