// SHOULD_FAIL: what it trains must be a Denoiser
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
cm::ConsistencyFunction const D{cm::Mlp{}};
#else
cm::Denoiser const D{cm::Mlp{}};
#endif
cm::DenoiserTraining const method{.f = D};
