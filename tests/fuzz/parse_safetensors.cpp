// SPDX-License-Identifier: MIT
// Any bytes as a safetensors file. What is read can be written, and reads the same.
#include <cstdint>
#include <span>

#include "formats.hpp"
#include "fuzz.hpp"

using namespace consistency;
using namespace consistency::attack;

namespace {

bool same(SafetensorsFile const& a, SafetensorsFile const& b) {
  if (a.metadata() != b.metadata() || a.entries().size() != b.entries().size()) return false;
  for (auto const& entry : a.entries()) {
    auto const* const other = b.find(entry.name);
    if (other == nullptr || other->dtype != entry.dtype || other->shape != entry.shape ||
        bytes_text(other->bytes) != bytes_text(entry.bytes))
      return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = std::as_bytes(std::span{data, size});
  may_fail([&] {
    auto const first = parse_safetensors(Bytes(bytes.begin(), bytes.end()), "input");
    std::size_t total = 0;
    for (auto const& entry : first.entries()) total += entry.bytes.size();
    require(total + 8 <= size);
    for (auto const key : detail::digest_keys)  // which the writer takes for itself
      if (first.metadata().contains(std::string{key})) return;
    static auto const again = std::filesystem::temp_directory_path() / ("fuzz-" + std::to_string(::getpid()));
    write_safetensors(again, first.entries(), first.metadata(), false);
    auto const second = read_safetensors(again);
    ::unlink(again.c_str());
    require(same(first, second));
  });
  return 0;
}
