// SPDX-License-Identifier: MIT
#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include <consistency/core/parallel.hpp>

#include "../support/unet_run.hpp"
#include "state.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

struct ThreadsRestored {
  unsigned const before = threads();
  ThreadsRestored() = default;
  ThreadsRestored(ThreadsRestored const&) = delete;
  ThreadsRestored& operator=(ThreadsRestored const&) = delete;
  ~ThreadsRestored() { set_threads(before); }
};

}  // namespace

TEST_CASE("the number of threads changes no bit of a training run") {
  auto const restored = ThreadsRestored{};
  auto const trained = [](unsigned count) {
    set_threads(count);
    UNetRun run{1};
    double losses = 0;
    for (Index k = 0; k < 50; ++k) losses += run.step().loss;
    return std::pair{run.state(), losses};
  };
  auto const one = trained(1);
  CHECK(std::isfinite(one.second));
  for (auto const count : {2U, 3U, 4U, 8U}) {
    CAPTURE(count);
    auto const many = trained(count);
    CHECK(same_state(many.first, one.first));
    CHECK(many.second == one.second);
  }
}
