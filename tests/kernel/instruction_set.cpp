// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>

using namespace consistency;

#ifdef CONSISTENCY_COMPILED

TEST_CASE("the text about instructions names the set that the environment asks for, and all to choose from") {
  auto text = std::string{cpu::instruction_set()};
  std::erase(text, '-');  // AVX-512
  CHECK(text.find("chosen from ") != std::string::npos);
  if (auto const* const asked = std::getenv("CONSISTENCY_INSTRUCTIONS"); asked != nullptr) {
    auto lower = text.substr(0, std::string_view{asked}.size());
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    CHECK(lower == asked);
  }
}

#else

TEST_CASE("the text about instructions says that they were compiled for") {
  CHECK(cpu::instruction_set().find(", compiled for") != std::string_view::npos);
}

#endif
