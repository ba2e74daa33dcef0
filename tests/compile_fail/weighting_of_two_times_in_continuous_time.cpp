// SHOULD_FAIL: the weighting must take one time
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

using F = cm::ConsistencyFunction<cm::Mlp>;
#ifdef SHOULD_FAIL
using W = cm::InverseGapWeighting;
#else
using W = cm::GridSpeedWeighting;
#endif
using Method = cm::ContinuousConsistencyTraining<F, cm::L2, cm::UniformDistribution, W>;
constexpr bool has_target = Method::has_target;
