// SPDX-License-Identifier: MIT
// CD: by which step, between which times (Song et al. 2023, Figure 3b).
#include "slice.hpp"

namespace {

using namespace policies;

Registered const registered{Slice{.name = "solver-times",
                                  .methods = axis(Named{"cd", Distillation{}}),
                                  .solvers = axes::solvers(),
                                  .times = axes::pairs()}};

}  // namespace
