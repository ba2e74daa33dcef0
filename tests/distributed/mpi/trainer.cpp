// SPDX-License-Identifier: MIT
#include <algorithm>
#include <limits>
#include <utility>

#include <doctest/doctest.h>

#include <consistency/distributed/mpi_communicator.hpp>
#include <consistency/distributed/shard.hpp>

#include "../../support/compare.hpp"
#include "../../support/fails.hpp"
#include "../../support/unet_run.hpp"
#include "../../support/unet_trainer.hpp"
#include "../../training/state.hpp"
#include "../support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

constexpr Index steps = 50;

TrainingState<Tensor<float>> trained_together() {
  auto t = unet_trainer(1, MpiCommunicator{});
  for (Index k = 0; k < steps; ++k) t.step(shard(unet_batch(k), t.communicator()));
  return t.state();
}

/// Whether every rank has the numbers of rank 0.
bool same_everywhere(TrainingState<Tensor<float>> const& state) {
  auto t = unet_trainer(1, MpiCommunicator{});
  try {
    t.resume(state);
  } catch (distributed_error const&) {
    return false;
  }
  return true;
}

}  // namespace

TEST_CASE("ranks train a U-Net as one process on the global batch, with the same bits each and on repeat") {
  auto const together = trained_together();
  CHECK(same_everywhere(together));
  CHECK(same_state(trained_together(), together));

  auto alone = unet_trainer(1);
  for (Index k = 0; k < steps; ++k) alone.step(unet_batch(k));
  auto const& theta = alone.theta().flat();
  auto const apart = distance(together.theta.flat(), theta);
  auto const moved = distance(theta, unet_trainer(1).theta().flat());
  CAPTURE(apart);
  CHECK(apart < 1e-5 * magnitude(theta));
  CHECK(apart < 1e-3 * moved);
}

TEST_CASE("NaN in the batch of one rank ends the step of all by its name and leaves the state as it was") {
  auto t = trainer({}, MpiCommunicator{});
  auto const& c = t.communicator();
  auto const last = c.size() - 1;
  t.step(shard(global_batch(0), c));
  auto const before = t.state();
  auto bad = shard(global_batch(1), c).clone();
  if (c.rank() == last) bad.fill(std::numeric_limits<float>::quiet_NaN());
  check_fails<ErrorCode::dataset>([&] { t.step(bad); }, {"rank " + std::to_string(last), "not finite"});
  CHECK(same_state(t.state(), before));
  t.step(shard(global_batch(1), c));
}

TEST_CASE("ranks with other settings or parameters are rejected") {
  auto const check = [](Run const& other, std::string_view what) {
    auto c = MpiCommunicator{};
    auto const run = c.rank() == c.size() - 1 && c.size() > 1 ? other : Run{};
    if (c.size() > 1)
      check_fails<ErrorCode::distributed>([&] { trainer(run, std::move(c)); }, {"rank ", what});
  };
  check({.learning_rate = 2e-3}, "settings");
  check({.theta_seed = 2}, "parameters");
  check({.width = 32}, "names and shapes of parameters");
}
