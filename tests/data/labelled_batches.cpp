// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include <doctest/doctest.h>

#include <consistency/data/labelled_batches.hpp>
#include <consistency/distributed/shard.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// n images of one pixel; image i is i, of class i % 3.
ImageSet numbered(Index n) {
  ImageSet set{.count = n, .height = 1, .width = 1, .channels = 1, .pixels = {}, .labels = {}};
  for (Index i = 0; i < n; ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(i));
    set.labels.push_back(static_cast<std::uint8_t>(i % 3));
  }
  return set;
}
static_assert(Batches<LabelledImageBatches> && Batches<ImageBatches>);

/// Rank r of three.
struct Third {
  int r;
  int rank() const { return r; }
  int size() const { return 3; }
  void gather(double mine, std::span<double> all) const { std::fill(all.begin(), all.end(), mine); }
  void broadcast(std::span<std::byte>, int) const {}
  void sum(std::span<float>) const {}
  void sum(std::span<double>) const {}
};

}  // namespace

TEST_CASE("each image comes with its own class, in the batches of images alone") {
  auto with = LabelledImageBatches{numbered(20), 3, 7, Key{5}};
  auto alone = ImageBatches{numbered(20), 7, Key{5}};
  for (Index k = 0; k < 6; ++k) {
    auto const batch = with(k);
    CHECK(same_bits(batch.x0, alone(k)));
    for (Index i = 0; i < 7; ++i) {
      auto const number = std::lround((batch.x0[i] + 1) * 127.5F);
      for (Index c = 0; c < 3; ++c)
        CHECK(batch.condition.features()(i, c) == (number % 3 == c ? 1.0F : 0.0F));
    }
  }
}

TEST_CASE("a part of a batch has the conditions of its samples") {
  auto with = LabelledImageBatches{numbered(20), 3, 10, Key{5}};
  auto const batch = with(0);
  Index begin = 0;
  for (int r = 0; r < 3; ++r) {
    auto const part = shard(batch, Third{r});
    CHECK(part.condition.count() == part.count());
    for (Index i = 0; i < part.count(); ++i)
      for (Index c = 0; c < 3; ++c)
        CHECK(part.condition.features()(i, c) == batch.condition.features()(begin + i, c));
    begin += part.count();
  }
  CHECK(begin == 10);
}

TEST_CASE("images without labels, or with one outside the classes, are rejected by number") {
  auto none = numbered(6);
  none.labels.clear();
  check_fails<ErrorCode::dataset>([&] { LabelledImageBatches(none, 3, 2, Key{}); }, {"labels", "none"});
  check_fails<ErrorCode::dataset>([] { LabelledImageBatches(numbered(6), 2, 2, Key{}); },
                                  {"label of image 2", "found 2", "0 to 1"});
}
