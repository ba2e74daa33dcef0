// SPDX-License-Identifier: MIT
// Any bytes as a batch of CIFAR-10, as long as they are and as long as one should be.
#include <cstdint>

#include "formats.hpp"
#include "fuzz.hpp"

using namespace consistency;
using namespace consistency::attack;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  static auto const file = MemoryFile{};
  auto batch = std::string{reinterpret_cast<char const*>(bytes), size};
  for (auto const length : {size, 3073 * (1 + size % 3)}) {
    batch.resize(length);
    file.put(batch);
    may_fail([&] {
      auto const set = read_cifar10({file.path(), file.path()});
      require(set.pixels.size() == 2 * length / 3073 * 3072 && set.labels.size() == 2 * length / 3073);
    });
  }
  return 0;
}
