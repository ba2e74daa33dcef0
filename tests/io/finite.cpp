#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/io/finite.hpp>

#include "../support/refused.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE_TEMPLATE("the first number that is not finite is found wherever it stands", S, float, double) {
  constexpr auto nan = std::numeric_limits<S>::quiet_NaN(), inf = std::numeric_limits<S>::infinity();
  auto values = std::vector<S>(3000, std::numeric_limits<S>::lowest());
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

TEST_CASE("numbers that are not finite are refused with file, tensor and index") {
  auto const values = std::vector<float>{1, 2, -std::numeric_limits<float>::infinity()};
  require_finite("f", "t", std::span{values}.first(2));
  check_refused<ErrorCode::numeric>([&] { require_finite("file", "a\nb", std::span<float const>{values}); },
                                    {"file", "tensor 'a\\x0ab'", "-inf at value 2", "finite"});
}
