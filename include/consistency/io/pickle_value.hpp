// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace consistency {

/// A value that a pickle builds. Values belong to the Pickle.
struct PickleValue {
  enum class Kind : std::uint8_t {
    none,
    boolean,
    integer,
    real,
    text,
    tuple,
    list,
    dictionary,
    global,
    call
  };

  Kind kind = Kind::none;
  int depth = 1;                          ///< of values within values
  std::int64_t integer = 0;               ///< of a boolean too
  std::string_view text;                  ///< the name of a global: "module name"
  std::vector<PickleValue const*> parts;  ///< of a dictionary keys and values in turn; of a call the global,
                                          ///< then its arguments

  bool is(Kind other) const noexcept { return kind == other; }
};

}  // namespace consistency
