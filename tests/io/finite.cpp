#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include <consistency/io/finite.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("one number that is not finite is found wherever it stands among others") {
  for (std::size_t const size : {1U, 7U, 1023U, 1024U, 1025U, 5000U}) {
    std::vector<float> values(size, -std::numeric_limits<float>::max());
    values[size / 2] = std::numeric_limits<float>::denorm_min();
    require_finite("here", "w", values);
    for (auto const at : {std::size_t{0}, size / 3, size - 1})
      for (auto const bits : {0x7f800000U, 0xff800000U, 0x7fc00000U, 0x7f800001U, 0xffffffffU}) {
        auto bad = values;
        bad[at] = std::bit_cast<float>(bits);
        check_refused<ErrorCode::numeric>([&] { require_finite("here", "w\n", bad); },
                                          {"here: tensor 'w\\x0a'", " at value " + std::to_string(at)});
      }
  }
  require_finite("here", "none", {});
}

TEST_CASE("numbers of a file are copied from any address, and checked") {
  constexpr auto size = std::size_t{40'000};
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<float>(i) - 7;
  auto bytes = joined(bytes_of({0}), std::as_bytes(std::span{values}));
  std::vector<float> copy(size);
  detail::copy_finite("file", "w", ByteView{bytes}.subspan(1), copy.data());
  CHECK(copy == values);
  for (auto const at : {std::size_t{0}, std::size_t{16384}, size - 1}) {
    auto damaged = bytes;
    damaged[1 + 4 * at + 3] = damaged[1 + 4 * at + 2] = std::byte{0xff};
    check_refused<ErrorCode::numeric>(
        [&] { detail::copy_finite("file", "w", ByteView{damaged}.subspan(1), copy.data()); },
        {"file: tensor 'w'", " at value " + std::to_string(at)});
  }
}
