// SPDX-License-Identifier: MIT
// A metric, a solver and a noise schedule of one's own, about fifteen lines each, in one training run.
#include <cmath>
#include <cstdio>

#include <consistency/consistency.hpp>

namespace cm = consistency;

// d(x, y) = Σ ln cosh(x − y), smooth like L2 near zero and linear far away.
struct LogCosh {
  auto operator()(cm::Operand auto const& x, cm::Operand auto const& y) const {
    auto const u = cm::evaluated(abs(x - y));
    return sum_per_sample(u + log(0.5 * (1.0 + exp(-2.0 * u))));
  }
};
static_assert(cm::Metric<LogCosh>);

// The explicit midpoint rule: half an Euler step, then a whole one with the velocity found there.
struct Midpoint {
  static constexpr int order = 2;

  template <cm::Value X>
  X step(auto const& v, X const& x, cm::Value auto const& t, cm::Value auto const& s) const {
    X const middle = 0.5 * (t + s);
    X const half = x + (middle - t) * v(x, t);
    return x + (s - t) * v(half, middle);
  }
};
static_assert(cm::OdeSolver<Midpoint>);

// Times evenly spaced in ln t, with a number of intervals that grows over the run.
struct LogarithmicTimes {
  cm::Index K;

  double resolution(cm::Index k) const { return 4 + 60 * static_cast<double>(k) / static_cast<double>(K); }
  cm::TimePair draw(cm::NoiseProcess auto const& process, cm::Index k, cm::Key key, cm::Counter at) const {
    auto const intervals = std::floor(resolution(k));
    auto const n = std::floor(cm::uniform_block<double>(key, at, 0)[0] * intervals);
    auto const time = [&](double i) {
      auto const [epsilon, T] = process.range();
      return i == 0 ? epsilon : epsilon * std::pow(T / epsilon, i / intervals);
    };
    return {time(n + 1), time(n)};
  }
};
static_assert(cm::TimePairs<LogarithmicTimes>);

int main() {
  constexpr cm::Index steps = 2000;
  cm::ConsistencyFunction const f{cm::Mlp{{.dimensions = 1, .width = 48, .layers = 2}}};

  auto const method = cm::ConsistencyObjective{.f = f,
                                               .velocity = cm::DataVelocity{},
                                               .solver = Midpoint{},
                                               .metric = LogCosh{},
                                               .times = LogarithmicTimes{steps},
                                               .weighting = cm::InverseGapWeighting{},
                                               .target = cm::StopGradientTarget{}};
  cm::Trainer trainer{method,
                      cm::Adam{.learning_rate = 5e-3, .schedule = {.decay_from = 1000, .decay_to = steps}},
                      f.initialize(cm::Key{1}),
                      {.ema = 0.99, .clip = 1}};

  for (cm::Index k = 0; k < steps; ++k) {  // data: −0.5 or 0.5
    auto const u = cm::uniform<float>({256, 1}, cm::Key{2}, {.step = static_cast<std::uint32_t>(k)});
    cm::Tensor<float> x{u.shape()};
    for (cm::Index i = 0; i < u.count(); ++i) x.mutable_data()[i] = u[i] < 0.5F ? -0.5F : 0.5F;
    trainer.step(x);
  }

  auto const x = cm::sample(f, trainer.averaged(), cm::OneStep{}, {.seed = 1, .count = 1000});
  auto const off = cm::mean(abs(abs(x) - 0.5))[0];
  std::printf("one-step samples lie %.3f from the data on average\n", static_cast<double>(off));
  return off < 0.2F ? 0 : 1;
}
