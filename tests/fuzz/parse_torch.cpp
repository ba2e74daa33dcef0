// SPDX-License-Identifier: MIT
// Any bytes as a PyTorch file, and as the pickle in one whose archive is whole.
#include <cstdint>

#include <consistency/io/tensor_file.hpp>

#include "formats.hpp"
#include "fuzz.hpp"

using namespace consistency;
using namespace consistency::attack;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  static auto const file = MemoryFile{};
  auto const input = std::string_view{reinterpret_cast<char const*>(bytes), size};
  for (auto const packed : {false, true}) {
    file.put(packed ? torch_archive(input, std::string(64, '\1')) : std::string{input});
    may_fail([&] {
      auto const read = read_tensor_file(file.path());
      for (auto const& entry : read.entries()) {
        unsigned sum = 0;  // every byte is there
        for (auto const byte : entry.bytes) sum += std::to_integer<unsigned>(byte);
        require(sum <= 255 * entry.bytes.size() && read.find(entry.name) == &entry);
      }
    });
  }
  return 0;
}
