// SPDX-License-Identifier: MIT
// The task of examples/programs/policy.

#include <cmath>
#include <numbers>

#include <doctest/doctest.h>

#include "../../examples/programs/policy/rollout.hpp"
#include "../support/compare.hpp"

using namespace pushing;
using consistency::Shape;

TEST_CASE("the pusher moves the puck along the line of centres, and lets what it does not touch lie") {
  State const apart{{-0.5, 0}, {0, 0}, {0.5, 0}};
  auto const near = moved(apart, {0.04, 0});
  CHECK(near.puck == apart.puck);
  CHECK(near.pusher.x == doctest::Approx(-0.46));
  CHECK(moved(apart, {3, 4}).pusher.x == doctest::Approx(-0.5 + fastest * 3 / 5));  // as far as it can

  for (auto const direction : {0.0, 0.8, 2.5}) {
    auto const pushed = moved({-contact * towards(direction), {}, {0.5, 0}}, 0.04 * towards(direction));
    CHECK(length(pushed.puck - 0.04 * towards(direction)) < 1e-12);
    CHECK(length(pushed.puck - pushed.pusher) == doctest::Approx(contact));
  }
  // Hit beside the line through its centre, it slips to that side.
  auto const slipped = moved({{-contact, -0.02}, {}, {0.5, 0}}, {0.05, 0});
  CHECK(slipped.puck.y > 0.004);
}

TEST_CASE("nothing leaves the table, and nothing overlaps, whatever is done") {
  Chance chance{Key{7}, 0};
  for (int episode = 0; episode < 20; ++episode) {
    auto s = start(chance);
    for (int k = 0; k < 200; ++k) {
      s = moved(s, k % 40 < 30 ? s.puck - s.pusher : 0.05 * chance.normal());
      CHECK(length(s.puck - s.pusher) > contact - 1e-9);
      CHECK(std::max(std::abs(s.puck.x), std::abs(s.puck.y)) <= 1 - puck_radius + 1e-12);
      CHECK(std::isfinite(s.pusher.x + s.pusher.y));
    }
  }
}

TEST_CASE("the demonstrator solves every episode, on either side of the puck, and the same one each time") {
  auto const all = demonstrated(200, Key{1});
  CHECK(all.solved == 200);
  CHECK(all.observations.shape() == Shape{all.chunks.shape()[0], observed});
  auto const again = demonstrated(200, Key{1});
  CHECK(consistency::test::same_bits(all.observations, again.observations));
  CHECK(consistency::test::same_bits(all.chunks, again.chunks));
  // The goal right behind the pusher: some go around on the left, some on the right.
  int left = 0;
  for (std::uint32_t i = 0; i < 40; ++i) {
    Chance chance{Key{2}, i};
    left += Demonstrator{chance}.action({{0.5, 0}, {0, 0}, {0.9, 0}}).y > 0;
  }
  CHECK(left > 8);
  CHECK(left < 32);
}

TEST_CASE("a rollout asks for a chunk every few steps and ends where the puck is at its goal") {
  Index calls = 0;
  auto const still = rollout(3, Key{3}, [&](X const& observations, Index round) {
    CHECK(round == calls++);
    CHECK(observations.shape() == Shape{3, observed});
    return X({3, horizon, 2}, 0.0F);
  });
  CHECK(calls == most_steps / executed);
  CHECK(still.count_solved() == 0);
  CHECK(still.episodes[2].size() == most_steps + 1);
  // Episode i is the same for every policy.
  Chance chance{Key{3}, 1};
  CHECK(still.episodes[1].front() == start(chance));
}
