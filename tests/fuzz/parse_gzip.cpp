// SPDX-License-Identifier: MIT
// Any bytes as a .gz file. What is packed here unpacks to itself.
#include <cstdint>

#include "formats.hpp"
#include "fuzz.hpp"

using namespace consistency;
using namespace consistency::attack;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  constexpr auto limit = std::uint64_t{1} << 20U;
  auto const input = std::string_view{reinterpret_cast<char const*>(bytes), size};
  may_fail([&] { require(gunzip(text_bytes(input), limit, "input").size() <= limit); });
  require(size > limit || text_of(gunzip(text_bytes(gzipped(input)), limit, "packed")) == input);
  return 0;
}
