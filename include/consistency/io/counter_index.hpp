#pragma once

#include <cstdint>
#include <utility>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// A step or the number of a sample where random numbers are counted, in 32 bits. Throws config_error for one
/// that does not fit: it would come round to numbers that were drawn before.
inline std::uint32_t counter_index(char const* where, char const* what, Index value) {
  if (!std::in_range<std::uint32_t>(value))
    throw config_error{{.where = where,
                        .what = what,
                        .found = number_text(value),
                        .expected = "0 to 4294967295, as many as random numbers are counted for",
                        .advice = ""}};
  return static_cast<std::uint32_t>(value);
}

}  // namespace consistency
