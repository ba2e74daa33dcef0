#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <consistency/core/error.hpp>

namespace consistency {

/// Throws config_error, naming the setting and its value, unless it holds.
inline void require_setting(bool holds, char const* where, char const* what, double found,
                            char const* expected) {
  if (!holds)
    throw config_error{
        {.where = where, .what = what, .found = number_text(found), .expected = expected, .advice = ""}};
}

/// Throws config_error unless least <= found <= most: whole numbers, told digit by digit.
inline void require_within(std::string_view where, std::string_view what, std::int64_t found,
                           std::int64_t least, std::int64_t most) {
  if (found < least || found > most)
    throw config_error{{.where = std::string{where},
                        .what = std::string{what},
                        .found = number_text(found),
                        .expected = number_text(least) + " to " + number_text(most),
                        .advice = ""}};
}

/// A decay rate of a moving average lies in [0, 1).
inline void require_rate(char const* where, char const* what, double rate) {
  require_setting(rate >= 0 && rate < 1, where, what, rate, "[0, 1)");
}

/// Policies may have a `check()` that throws config_error for impossible settings; it runs once, at
/// construction of what uses them.
template <class Policy>
void check_settings(Policy const& policy) {
  if constexpr (requires { policy.check(); }) policy.check();
}

}  // namespace consistency
