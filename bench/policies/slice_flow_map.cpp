// SPDX-License-Identifier: MIT
// Flow maps, each with its own policies, and sCT beside them; sampled with 1 to 16 evaluations.
#include "slice.hpp"

namespace {

using namespace policies;

Registered const registered{
    Slice{.name = "flow-map",
          .methods = std::tuple_cat(axes::flow_maps(), axis(Named{"sct", Simplified{}})),
          .processes = usual(),
          .metrics = usual()}};

}  // namespace
