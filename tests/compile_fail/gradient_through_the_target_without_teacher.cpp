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
constexpr bool policies = cm::continuous::policies<F, cm::DataVelocity, cm::L2, cm::UniformDistribution,
                                                   cm::UniformWeighting, Target>();
