// SPDX-License-Identifier: MIT
// Continuous methods: norms only where the gradient flows through the target.
#include "slice.hpp"

namespace {

using namespace policies;

Registered const registered{Slice{.name = "continuous",
                                  .methods = axis(Named{"continuous-ct", ContinuousTraining{}},
                                                  Named{"continuous-cd", ContinuousDistillation{}}),
                                  .metrics = axes::metrics(),
                                  .times = axes::distributions(),
                                  .targets = axes::targets()}};

}  // namespace
