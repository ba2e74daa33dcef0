// SPDX-License-Identifier: MIT
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <consistency/io/finite.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE_TEMPLATE("the first number that is not finite is found wherever it stands", S, float, double) {
  constexpr auto nan = std::numeric_limits<S>::quiet_NaN(), inf = std::numeric_limits<S>::infinity();
  auto values = std::vector<S>(3000, std::numeric_limits<S>::lowest());
  values[7] = std::numeric_limits<S>::denorm_min();
  CHECK(first_not_finite(std::span<S const>{values}) == values.size());
  CHECK(first_not_finite(std::span<S const>{}) == 0);
  for (std::size_t const at : {0, 1, 1023, 1024, 2047, 2999})
    for (auto const bad : {nan, -nan, inf, -inf}) {
      auto broken = values;
      broken[at] = bad;
      broken.back() = nan;
      CHECK(first_not_finite(std::span<S const>{broken}) == at);
    }
}

TEST_CASE("numbers that are not finite are rejected with file, tensor and index") {
  auto const values = std::vector<float>{1, 2, -std::numeric_limits<float>::infinity()};
  require_finite("f", "t", std::span{values}.first(2));
  check_fails<ErrorCode::numeric>([&] { require_finite("file", "a\nb", std::span<float const>{values}); },
                                  {"file", "tensor 'a\\x0ab'", "-inf at value 2", "finite"});
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
    check_fails<ErrorCode::numeric>(
        [&] { detail::copy_finite("file", "w", ByteView{damaged}.subspan(1), copy.data()); },
        {"file: tensor 'w'", " at value " + std::to_string(at)});
  }
}
