// SPDX-License-Identifier: MIT
// CD: how far, by which step.
#include "slice.hpp"

namespace {

using namespace policies;

Registered const registered{Slice{.name = "metric-solver",
                                  .methods = axis(Named{"cd", Distillation{}}),
                                  .metrics = axes::metrics(),
                                  .solvers = axes::solvers()}};

}  // namespace
