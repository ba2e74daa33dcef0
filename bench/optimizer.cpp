// SPDX-License-Identifier: MIT
// One update of a whole network: both moments, θ, and the average of θ.
#include <consistency/consistency.hpp>

#include "counters.hpp"

namespace cm = consistency;
using T = cm::Tensor<float>;

namespace {

void update(benchmark::State& state) {
  auto const count = cm::Shape{state.range(0)};
  auto const gradient = T{count, 0.01F};
  T m{count, 0.0F}, v{count, 0.0F}, theta{count, 1.0F}, average{count, 1.0F};
  auto const step = cm::RAdam{}.at(1000);
  auto const seconds = bench::measure(state, [&] {
    moment_update(cm::MomentUpdate<T>{.step = step,
                                      .gradient = gradient,
                                      .first_moment = m,
                                      .second_moment = v,
                                      .theta = theta,
                                      .averages = {{{average, 0.9999}}}});
  });
  bench::traffic(state, seconds, 4 * 9 * gradient.count());  // reads five arenas, writes four
}

}  // namespace

BENCHMARK(update)->ArgName("parameters")->Arg(1'700'000)->Arg(55'000'000)->UseRealTime();
