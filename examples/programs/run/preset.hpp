// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "recipe.hpp"

namespace run {

/// A recipe under a name.
struct Preset {
  std::string name;
  std::string what;  ///< for --help
  Recipe recipe;
};

}  // namespace run
