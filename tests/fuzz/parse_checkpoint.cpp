// SPDX-License-Identifier: MIT
// A header, a line end and data, with the length and the digest put right, as a checkpoint and as PyTorch's
// parameters.
#include <array>
#include <cstdint>

#include "formats.hpp"
#include "fuzz.hpp"

using namespace consistency;
using namespace consistency::attack;

namespace {

/// The header with the digest that its own bytes and the data have, where it has a place for one.
std::string with_digest(std::string header, std::string_view data) {
  constexpr auto length = detail::blank_digest.size();
  auto const at = detail::value_position(header, detail::digest_key);
  if (at == std::string::npos || header.find('"', at) != at + length) return header;
  header.replace(at, length, detail::blank_digest);
  return header.replace(at, length, digest(std::array{text_bytes(header), text_bytes(data)}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  static auto const file = MemoryFile{};
  auto const input = std::string_view{reinterpret_cast<char const*>(bytes), size};
  auto const header = input.substr(0, input.find('\n'));
  auto const data = input.substr(std::min(size, header.size() + 1));
  auto const& table = tiny_network().parameters();
  file.put(safetensors(with_digest(std::string{header}, data), data));
  may_fail([&] {
    auto const checkpoint = CheckpointFile{file.path()};
    may_fail([&] { checkpoint.state(table); });
    may_fail([&] { checkpoint.parameters(table, "averaged"); });
  });
  may_fail([&] { read_torch_parameters(file.path(), table); });
  may_fail([&] { read_torch_parameters(file.path(), table, {.ignored = {"*a*"}}); });
  return 0;
}
