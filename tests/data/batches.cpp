// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <consistency/data/batches.hpp>
#include <consistency/data/checkerboard.hpp>
#include <consistency/data/mixture.hpp>
#include <consistency/data/rings.hpp>

#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// n images of 2 x 3 pixels; all pixels of image i are i.
ImageSet numbered_images(Index n) {
  ImageSet set{.count = n, .height = 2, .width = 3, .channels = 1, .pixels = {}, .labels = {}};
  for (Index i = 0; i < n; ++i) set.pixels.insert(set.pixels.end(), 6, static_cast<std::uint8_t>(i));
  return set;
}

std::vector<int> numbers_in(Tensor<float> const& batch) {
  std::vector<int> numbers;
  for (Index i = 0; i < batch.shape()[0]; ++i) {
    auto const number = (batch[6 * i] + 1) * 127.5F;
    numbers.push_back(static_cast<int>(std::lround(number)));
    for (Index pixel = 1; pixel < 6; ++pixel) CHECK(batch[6 * i + pixel] == batch[6 * i]);
  }
  return numbers;
}

std::vector<int> epoch(ImageBatches& batches, Index number) {
  std::vector<int> seen;
  for (Index b = 0; b < batches.per_epoch(); ++b) {
    auto const part = numbers_in(batches(number * batches.per_epoch() + b));
    seen.insert(seen.end(), part.begin(), part.end());
  }
  return seen;
}

bool same(Tensor<float> const& a, Tensor<float> const& b) {
  return a.shape() == b.shape() && std::equal(a.values().begin(), a.values().end(), b.values().begin());
}

}  // namespace

TEST_CASE("a batch has the images' shape and the range -1 to 1") {
  auto set = numbered_images(5);
  std::fill_n(set.pixels.begin() + 12, 6, std::uint8_t{255});
  auto batches = ImageBatches{set, 5, Key{1}};
  auto const x = batches(0);
  CHECK(x.shape() == Shape{5, 2, 3, 1});
  CHECK(*std::min_element(x.values().begin(), x.values().end()) == -1.0F);
  CHECK(*std::max_element(x.values().begin(), x.values().end()) == 1.0F);
}

TEST_CASE("an epoch visits every image exactly once") {
  auto batches = ImageBatches{numbered_images(200), 8, Key{7}};
  CHECK(batches.per_epoch() == 25);
  for (Index number : {0, 1, 17}) {
    auto seen = epoch(batches, number);
    CHECK_FALSE(std::is_sorted(seen.begin(), seen.end()));
    std::sort(seen.begin(), seen.end());
    for (int i = 0; i < 200; ++i) CHECK(seen[static_cast<std::size_t>(i)] == i);
  }
}

TEST_CASE("what does not fill a batch is left out of its epoch, and others in the next") {
  auto batches = ImageBatches{numbered_images(10), 4, Key{7}};
  CHECK(batches.per_epoch() == 2);
  std::vector<int> visited(10);
  for (Index number = 0; number < 20; ++number) {
    auto seen = epoch(batches, number);
    CHECK(seen.size() == 8);
    std::sort(seen.begin(), seen.end());
    CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
    for (auto const i : seen) ++visited[static_cast<std::size_t>(i)];
  }
  CHECK(*std::min_element(visited.begin(), visited.end()) > 0);
}

TEST_CASE("a batch depends on the seed and the step alone") {
  auto forward = ImageBatches{numbered_images(30), 7, Key{3}};
  auto backward = ImageBatches{numbered_images(30), 7, Key{3, stream::noise}};
  auto other = ImageBatches{numbered_images(30), 7, Key{4}};
  std::vector<Tensor<float>> first;
  for (Index k = 0; k < 12; ++k) first.push_back(forward(k));
  for (Index k = 12; k-- > 0;) CHECK(same(backward(k), first[static_cast<std::size_t>(k)]));
  CHECK_FALSE(same(other(0), first[0]));
  CHECK_FALSE(same(first[0], first[4]));  // the first of two epochs
}

TEST_CASE("every order of three things is equally likely") {
  std::vector<int> counts(27);
  for (std::uint32_t number = 0; number < 6000; ++number) {
    auto const order = shuffled(3, Key{11}, number);
    ++counts[9 * order[0] + 3 * order[1] + order[2]];
  }
  auto orders = 0;
  for (auto const count : counts) {
    if (count == 0) continue;
    ++orders;
    CHECK(std::abs(count - 1000) < 120);  // four standard deviations
  }
  CHECK(orders == 6);
}

TEST_CASE("integers below a bound are even, with rejection where it is needed") {
  constexpr auto bound = 3'000'000'000U;  // 30 % of the draws are rejected
  auto low = 0;
  for (std::uint32_t i = 0; i < 4000; ++i) {
    auto const draw = uniform_below(bound, Key{5}, {0, i});
    CHECK(draw < bound);
    low += draw < bound / 2 ? 1 : 0;
  }
  CHECK(std::abs(low - 2000) < 130);
  CHECK(uniform_below(1, Key{5}, {}) == 0);
}

TEST_CASE("batch sizes that do not fit the data set are rejected") {
  for (Index const batch : {-1, 0, 11})
    check_fails<ErrorCode::config>([&] { ImageBatches(numbered_images(10), batch, Key{}); },
                                   {"ImageBatches", "batch size", "10 images"});
  check_fails<ErrorCode::config>([] { CheckerboardBatches(0, Key{}); }, {"CheckerboardBatches", "batch"});
  auto batches = ImageBatches{numbered_images(10), 10, Key{}};
  check_fails<ErrorCode::config>([&] { batches(-1); }, {"step", "-1"});
}

TEST_CASE("images that are not all there are rejected before one is read") {
  auto const rejected = [](ImageSet const& set, std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::dataset>([&] { ImageBatches(set, 1, Key{}); }, words);
    check_fails<ErrorCode::dataset>([&] { static_cast<void>(set.image(0)); }, words);
  };
  auto const bytes = [](std::size_t n) { return std::vector<std::uint8_t>(n); };
  constexpr auto large = Index{1} << 32U;
  rejected({900, 32, 32, 3, bytes(3072), {}},
           {"ImageSet", "3072 bytes", "900 images (32, 32, 3)", "2764800"});
  rejected({2, 2, 3, 1, bytes(13), {}}, {"13 bytes", "expected 12 bytes"});
  rejected({large, large, 1, 1, bytes(0), {}}, {"0 bytes", "a size that can exist"});  // 2^64
  rejected({large, large, 4, 4, bytes(16), {}}, {"16 bytes", "a size that can exist"});
  rejected({2, -1, -6, 2, bytes(24), {}}, {"extents", "(-1, -6, 2)", "1 or more"});
  rejected({0, 2, 2, 1, bytes(0), {}}, {"extents", "0 images"});
  rejected({2, 2, 3, 1, bytes(12), {1}}, {"labels", "1 for 2 images"});
}

TEST_CASE("steps and batches beyond what random numbers are counted for are rejected") {
  auto const rejected = [](auto const& action) { check_fails<ErrorCode::config>(action, {"0 to 2^32 - 1"}); };
  auto const key = Key{};
  for (Index const k : {Index{-1}, Index{1} << 32U}) {
    rejected([&] { MixtureBatches(2, key)(k); });
    rejected([&] { RingsBatches(2, key)(k); });
    rejected([&] { CheckerboardBatches(2, key)(k); });
    rejected([&] { MixtureBatches(k, key); });
    rejected([&] { RingsBatches(k, key); });
    rejected([&] { CheckerboardBatches(k, key); });
  }
  auto batches = ImageBatches{numbered_images(2), 1, key};
  rejected([&] { batches(Index{1} << 33U); });
  CHECK(batches((Index{1} << 33U) - 1).shape() == Shape{1, 2, 3, 1});
}

TEST_CASE("the points of a checkerboard lie on its dark squares with standard deviation one half") {
  auto const batches = CheckerboardBatches{8000, Key{9}};
  auto const x = batches(3);
  CHECK(x.shape() == Shape{8000, 2});
  std::vector<int> squares(16);
  for (Index i = 0; i < 8000; ++i) {
    CHECK(CheckerboardBatches::dark(x[2 * i], x[2 * i + 1]));
    auto const cell = [](float v) { return static_cast<int>((v / CheckerboardBatches::half_side + 1) * 2); };
    ++squares[static_cast<std::size_t>(4 * cell(x[2 * i + 1]) + cell(x[2 * i]))];
  }
  for (std::size_t i = 0; i < 16; ++i) CHECK(std::abs(squares[i] - ((i + i / 4) % 2 == 0 ? 1000 : 0)) < 150);
  for (Index axis : {0, 1}) {
    double mean = 0, second = 0;
    for (Index i = 0; i < 8000; ++i) {
      mean += static_cast<double>(x[2 * i + axis]) / 8000;
      second += static_cast<double>(x[2 * i + axis]) * x[2 * i + axis] / 8000;
    }
    CHECK(std::abs(mean) < 0.025);
    CHECK(std::abs(std::sqrt(second) / 0.5 - 1) < 0.02);
  }
  CHECK(same(x, CheckerboardBatches(8000, Key{9})(3)));
  CHECK_FALSE(same(x, batches(4)));
  CHECK_FALSE(CheckerboardBatches::dark(0.87, 0.1));
}
