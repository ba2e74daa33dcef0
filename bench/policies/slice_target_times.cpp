// SPDX-License-Identifier: MIT
// What θ⁻ is, between which times.
#include "slice.hpp"

namespace {

using namespace policies;

Registered const registered{Slice{.name = "target-times",
                                  .methods = axis(Named{"ct", Training{}}, Named{"cd", Distillation{}}),
                                  .times = axes::pairs(),
                                  .targets = axes::targets()}};

}  // namespace
