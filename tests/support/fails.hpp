// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <initializer_list>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <consistency/core/error.hpp>

namespace consistency::test {

/// Runs `action`, which must throw the error type of Code with all of `words` in its message.
template <ErrorCode Code, class Action>
void check_fails(Action const& action, std::initializer_list<std::string_view> words) {
  std::string message = "nothing was thrown";
  auto typed = false;
  try {
    action();
  } catch (typed_error<Code> const& failure) {
    message = failure.what();
    typed = failure.code() == Code;
  } catch (std::exception const& other) {
    message = std::string{"another error: "} + other.what();
  }
  CAPTURE(message);
  CHECK(typed);
  for (auto const word : words) {
    CAPTURE(word);
    CHECK(message.find(word) != std::string::npos);
  }
}

}  // namespace consistency::test
