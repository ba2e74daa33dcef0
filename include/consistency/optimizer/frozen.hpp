// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/optimizer/optimizer.hpp>

namespace consistency {

/// Leaves its parameters as they are: for some of the Groups.
struct Frozen {
  static constexpr auto state_names = std::array<std::string_view, 0>{};
  template <class X>
  void update(Update<X>&) const {}
  std::string text() const { return "Frozen{}"; }
};
static_assert(Optimizer<Frozen>);

}  // namespace consistency
