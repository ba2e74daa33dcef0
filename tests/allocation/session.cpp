// SPDX-License-Identifier: MIT
#include <span>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/model/consistency_function.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/session.hpp>
#include <consistency/tensor/cpu.hpp>

#include "counts.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

auto const f =
    ConsistencyFunction{Mlp{{.dimensions = 8, .width = 64, .layers = 2, .condition = {.features = 3}}}};

}  // namespace

TEST_CASE("locks are counted") {
  auto const before = now();
  MemoryPool::instance().release(MemoryPool::instance().allocate(64), 64);
  CHECK(now().locks - before.locks == (counts_heap() ? 3 : 0));  // two, and one of now()
}

TEST_CASE("from its first call on a session asks for no memory and takes no lock, of a seed or of noise") {
  SamplingSession session{f, f.initialize({1}), Multistep{.times = {10, 1}}, {.batch = 16}};
  session.warm_up(3);
  std::vector<float> out(128);
  std::vector<float> const condition(48, 0.5F), noise(128, 0.1F);
  auto const draws = [&](Index n) {
    auto const numbers = static_cast<std::size_t>(8 * n), features = static_cast<std::size_t>(3 * n);
    auto const given = std::span{condition}.first(features);
    auto const before = now();
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      session.draw(std::span{out}.first(numbers), {.seed = seed, .condition = given});
      session.draw(std::span{out}.first(numbers),
                   {.condition = given, .noise = std::span{noise}.first(numbers)},
                   [](auto const& e) { return e.number < 1; });
    }
    auto const after = now();
    CHECK(after.heap == before.heap);
    CHECK(after.pool == before.pool);
    CHECK(after.locks - before.locks == (counts_heap() ? 1 : 0));  // of now()
  };
  draws(16);
  draws(3);
}

TEST_CASE("a session gives back the memory that it has taken") {
  auto const theta = PreparedParameters{f.initialize({1})};
  auto const held = [] {
    MemoryPool::instance().trim();
    return MemoryPool::instance().reserved_bytes();
  };
  {
    SamplingSession const first{f, theta};  // which makes forms of the weights, that stay with them
  }
  auto const before = held();
  {
    SamplingSession session{f, theta, OneStep{}, {.batch = 32, .threads = 2}};
    std::vector<float> out(256);
    session.draw(out, {.condition = std::vector<float>(96)});
    CHECK(held() > before);
  }
  CHECK(held() == before);
}
