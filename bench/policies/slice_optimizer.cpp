// SPDX-License-Identifier: MIT
// What moves θ.
#include "slice.hpp"

namespace {

using namespace policies;

Registered const registered{
    Slice{.name = "optimizer",
          .methods = axis(Named{"ct", Training{}}, Named{"cd", Distillation{}}, Named{"pd", Progressive{}}),
          .optimizers = axes::optimizers()}};

}  // namespace
