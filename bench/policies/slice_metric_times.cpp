// SPDX-License-Identifier: MIT
// CT: how far, between which times.
#include "slice.hpp"

namespace {

using namespace policies;

Registered const registered{Slice{.name = "metric-times",
                                  .methods = axis(Named{"ct", Training{}}),
                                  .metrics = axes::metrics(),
                                  .times = axes::pairs()}};

}  // namespace
