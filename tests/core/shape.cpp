// SPDX-License-Identifier: MIT
#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <consistency/core/shape.hpp>

using namespace consistency;

namespace {

std::string failure(auto const& f) {
  try {
    f();
  } catch (shape_error const& e) {
    return e.what();
  }
  return "no shape_error";
}

bool contains(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a shape knows its rank and count and extents") {
  auto const image = Shape{64, 28, 14, 3};
  CHECK(image.rank() == 4);
  CHECK(image.count() == 64 * 28 * 14 * 3);
  CHECK(image[0] == 64);
  CHECK(image[3] == 3);
  CHECK(image.back() == 3);
  CHECK(image.rows() == 64 * 28 * 14);
  CHECK(image.text() == "(64, 28, 14, 3)");
  Index product = 1;
  for (auto const extent : image) product *= extent;
  CHECK(product == image.count());
}

TEST_CASE("a number has rank 0 and one element") {
  auto const number = Shape{};
  CHECK(number.rank() == 0);
  CHECK(number.count() == 1);
  CHECK(number.back() == 1);
  CHECK(number.rows() == 1);
  CHECK(number.text() == "()");
  CHECK(number.begin() == number.end());
}

TEST_CASE("an extent of 0 makes an empty shape") {
  CHECK(Shape{0, 3}.count() == 0);
  CHECK(Shape{3, 0}.count() == 0);
  CHECK(Shape{3, 0}.rows() == 0);
  CHECK(Shape{0, 3}.rows() == 0);
  CHECK(Shape{0, 3} != Shape{3, 0});
}

TEST_CASE("shapes are equal when ranks and extents are") {
  CHECK(Shape{2, 3} == Shape{2, 3});
  CHECK(Shape{2, 3} != Shape{3, 2});
  CHECK(Shape{2, 3} != Shape{2, 3, 1});
  CHECK(Shape{} != Shape{1});
}

TEST_CASE("shapes are derived from one another by replacing an extent") {
  auto const s = Shape{2, 3, 5, 7};
  CHECK(s.with(1, 11) == Shape{2, 11, 5, 7});
  CHECK(s.with_channels(1) == Shape{2, 3, 5, 1});
  CHECK(s.per_sample() == Shape{2, 1, 1, 1});
  CHECK(Shape{9}.per_sample() == Shape{9});
  CHECK(Shape{}.per_sample() == Shape{});
}

TEST_CASE("a shape can be made at compile time") {
  constexpr auto s = Shape{2, 3};
  static_assert(s.count() == 6);
  static_assert(s.with_channels(5).count() == 10);
}

TEST_CASE("a shape rejects a fifth extent") {
  CHECK(contains(failure([] { Shape{1, 2, 3, 4, 5}; }), "rank: found 5"));
  auto full = Shape{1, 2, 3, 4};
  CHECK(contains(failure([&] { full.push_back(5); }), "rank"));
  CHECK(full == Shape{1, 2, 3, 4});
}

TEST_CASE("a shape rejects a negative extent") {
  CHECK(contains(failure([] { Shape{2, -3}; }), "extent: found -3, expected 0 or more"));
}

TEST_CASE("a shape rejects a number of elements beyond 63 bits") {
  auto const big = std::numeric_limits<Index>::max();
  CHECK(Shape{big}.count() == big);
  CHECK(Shape{big, 1}.count() == big);
  CHECK(contains(failure([&] { Shape{big, 2}; }), "number of elements"));
  CHECK(contains(failure([] { Shape{Index{1} << 32, Index{1} << 32}; }), "number of elements"));
  CHECK(contains(failure([] {
                   Shape{Index{1} << 21, Index{1} << 21, Index{1} << 21};
                 }),
                 "number of elements"));
}

TEST_CASE("broadcasting aligns axes at the last and stretches extents of 1") {
  CHECK(broadcast(Shape{2, 3}, Shape{2, 3}) == Shape{2, 3});
  CHECK(broadcast(Shape{2, 3}, Shape{3}) == Shape{2, 3});
  CHECK(broadcast(Shape{3}, Shape{2, 3}) == Shape{2, 3});
  CHECK(broadcast(Shape{2, 1}, Shape{1, 3}) == Shape{2, 3});
  CHECK(broadcast(Shape{}, Shape{2, 3}) == Shape{2, 3});
  CHECK(broadcast(Shape{4, 1, 1, 1}, Shape{4, 8, 8, 3}) == Shape{4, 8, 8, 3});
  CHECK(broadcast(Shape{4, 1, 1, 1}, Shape{8, 8, 3}) == Shape{4, 8, 8, 3});
  CHECK(broadcast(Shape{}, Shape{}) == Shape{});
}

TEST_CASE("broadcasting keeps empty axes empty") {
  CHECK(broadcast(Shape{0, 3}, Shape{3}) == Shape{0, 3});
  CHECK(broadcast(Shape{0, 3}, Shape{1, 3}) == Shape{0, 3});
  CHECK(broadcast(Shape{1}, Shape{0}) == Shape{0});
  CHECK_THROWS_AS(broadcast(Shape{0}, Shape{2}), shape_error);
}

TEST_CASE("an impossible broadcast names both shapes") {
  auto const text = failure([] { broadcast(Shape{2, 3}, Shape{2, 4}); });
  CHECK(contains(text, "(2, 3)"));
  CHECK(contains(text, "(2, 4)"));
  CHECK(contains(failure([] { broadcast(Shape{2, 3}, Shape{2}); }), "(2, 3) and (2)"));
}
