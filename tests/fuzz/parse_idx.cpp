// SPDX-License-Identifier: MIT
// Any bytes as IDX images and labels, plain, packed as they are, and packed here.
#include <cstdint>

#include "formats.hpp"
#include "fuzz.hpp"

using namespace consistency;
using namespace consistency::attack;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  constexpr auto limit = std::uint64_t{1} << 22U;
  static auto const file = MemoryFile{}, labels = MemoryFile{};
  auto const input = std::string_view{reinterpret_cast<char const*>(bytes), size};
  labels.put(idx({2}, "\1\2"));
  for (auto const packed : {false, true}) {
    file.put(packed ? gzipped(input) : std::string{input});
    may_fail([&] {
      auto const set = read_idx_images(file.path(), limit);
      require(set.pixels.size() == static_cast<std::size_t>(set.count * set.image_size()));
      require(set.image(set.count - 1).size() == static_cast<std::size_t>(set.image_size()));
    });
    may_fail([&] { read_idx_labels(file.path(), limit); });
    may_fail([&] { require(read_idx(file.path(), labels.path(), limit).count == 2); });
  }
  return 0;
}
