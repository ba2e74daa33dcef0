// SPDX-License-Identifier: MIT
// Continuous methods on each noise process.
#include "slice.hpp"

namespace {

using namespace policies;

Registered const registered{Slice{.name = "process-continuous",
                                  .methods = axis(Named{"continuous-ct", ContinuousTraining{}},
                                                  Named{"continuous-cd", ContinuousDistillation{}}),
                                  .processes = axes::processes(),
                                  .parameterizations = axes::parameterizations(),
                                  .metrics = axis(Named{"l2", L2{}}, Named{"huber", PseudoHuber{}})}};

}  // namespace
