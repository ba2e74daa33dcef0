// SHOULD_FAIL: itself and has no rate
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
cm::StopGradientTarget const target{0.95};
#else
cm::EmaTarget const target{0.95};
#endif
cm::StopGradientTarget const stopped{};
