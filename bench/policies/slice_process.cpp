// SPDX-License-Identifier: MIT
// Discrete methods on each noise process; parameterizations of another process are left out.
#include "slice.hpp"

namespace {

using namespace policies;

Registered const registered{Slice{.name = "process",
                                  .methods = axis(Named{"ct", Training{}}, Named{"cd", Distillation{}}),
                                  .processes = axes::processes(),
                                  .parameterizations = axes::parameterizations(),
                                  .metrics = axis(Named{"l2", L2{}}, Named{"huber", PseudoHuber{}})}};

}  // namespace
