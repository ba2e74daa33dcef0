// SHOULD_FAIL: the weighting must take two times
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
using W = cm::EdmWeighting;
#else
using W = cm::InverseGapWeighting;
#endif
cm::ConsistencyTraining const method{.f = cm::ConsistencyFunction{cm::Mlp{}}, .weighting = W{}};
