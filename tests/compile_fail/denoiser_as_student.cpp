// SHOULD_FAIL: the student must be a ConsistencyFunction
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
cm::Denoiser const f{cm::Mlp{}};
#else
cm::ConsistencyFunction const f{cm::Mlp{}};
#endif
cm::ConsistencyTraining const method{.f = f};
