// SPDX-License-Identifier: MIT
// Any bytes as statistics in NumPy's .npz, and as the array in one whose archive is whole.
#include <cstdint>

#include <consistency/io/feature_statistics.hpp>

#include "formats.hpp"
#include "fuzz.hpp"

using namespace consistency;
using namespace consistency::attack;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  static auto const file = MemoryFile{};
  auto const input = std::string_view{reinterpret_cast<char const*>(bytes), size};
  file.put(std::string{input});
  may_fail([&] {
    auto const read = read_statistics(file.path());
    require(read.covariance.count() == read.mean.count() * read.mean.count());
  });
  file.put(npz_archive(input));
  may_fail([&] {
    auto const read = NpzFile{file.path()}.numbers("mu");
    double sum = 0;  // every number is there
    for (auto const value : read.values()) sum += value == value ? 1 : 0;
    require(sum <= static_cast<double>(read.count()));
  });
  return 0;
}
