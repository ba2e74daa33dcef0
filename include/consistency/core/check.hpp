// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// Throws config_error, naming the setting and its value, unless it holds.
inline void require_setting(bool holds, char const* where, char const* what, double found,
                            char const* expected) {
  if (!holds) fail<config_error>(where, what, number_text(found), expected);
}

/// A number that must be positive and finite.
inline void require_positive(char const* where, char const* what, double found) {
  require_setting(found > 0 && std::isfinite(found), where, what, found, "a positive finite number");
}

/// Throws config_error unless least <= found <= most: whole numbers, written in full.
inline void require_within(std::string_view where, std::string_view what, std::int64_t found,
                           std::int64_t least, std::int64_t most) {
  if (found < least || found > most)
    fail<config_error>(std::string{where}, std::string{what}, number_text(found),
                       number_text(least) + " to " + number_text(most));
}

/// A decay rate of a moving average lies in [0, 1).
inline void require_rate(char const* where, char const* what, double rate) {
  require_setting(rate >= 0 && rate < 1, where, what, rate, "[0, 1)");
}

/// `first` of `count` steps or samples in a row, as random numbers count them. Throws config_error where one
/// of them is not in [0, 2^32).
inline std::uint32_t counted(char const* where, char const* what, Index first, Index count = 1) {
  constexpr auto numbers = Index{1} << 32U;
  if (first < 0 || count > numbers || first > numbers - count)
    fail<config_error>(
        where, what,
        count == 1 ? number_text(first) : number_text(count) + " from " + number_text(first) + " on",
        "numbers from 0 to 2^32 - 1", "Go on under another seed.");
  return static_cast<std::uint32_t>(first);
}

/// Policies may have a `check()`, or one that takes what they are used with, that throws config_error for
/// impossible settings; it runs once, at construction of what uses them.
template <class Policy, class... With>
void check_settings(Policy const& policy, With const&... with) {
  if constexpr (requires { policy.check(with...); })
    policy.check(with...);
  else if constexpr (requires { policy.check(); })
    policy.check();
}

}  // namespace consistency
