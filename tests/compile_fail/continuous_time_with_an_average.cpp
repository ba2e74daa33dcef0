// SHOULD_FAIL: must be StopGradientTarget or StudentTarget
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

using F = cm::ConsistencyFunction<cm::Mlp>;
#ifdef SHOULD_FAIL
using Target = cm::EmaTarget;
#else
using Target = cm::StopGradientTarget;
#endif
using Teacher = cm::TeacherVelocity<cm::Denoiser<cm::Mlp>, cm::PreparedParameters<cm::Tensor<float>>>;
using Method = cm::ContinuousConsistencyDistillation<F, Teacher, cm::L2, cm::UniformDistribution,
                                                     cm::UniformWeighting, Target>;
constexpr bool has_target = Method::has_target;
