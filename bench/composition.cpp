// SPDX-License-Identifier: MIT
// The same training steps of a perceptron, composed from policies and written by hand on the library's
// operations; composition.sh counts the instructions of both.
// usage: composition hand|composed STEPS
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <consistency/consistency.hpp>

namespace cm = consistency;

namespace {

using X = cm::Tensor<float>;

constexpr cm::Index n = 256;

cm::Mlp network() { return cm::Mlp{{.dimensions = 2, .width = 128}}; }
X batch(cm::Index k) {
  return 0.5 * cm::normal<float>({n, 2}, cm::Key{2}, {.step = static_cast<std::uint32_t>(k)});
}

double composed(cm::Index steps) {
  auto const f = cm::ConsistencyFunction{network()};
  cm::Trainer trainer{
      cm::ConsistencyTraining{.f = f, .metric = cm::L2{}, .times = cm::GridTimes<cm::FixedSteps>{{.N = 18}}},
      cm::Adam{}, f.initialize(cm::Key{1})};
  double loss = 0;
  for (cm::Index k = 0; k < steps; ++k) loss = trainer.step(batch(k)).loss;
  return loss;
}

double by_hand(cm::Index steps) {
  constexpr double epsilon = 0.002, sigma_data = 0.5;
  auto const net = network();
  auto theta = cm::Parameters<X>::initialized(net.parameters(), cm::Key{1});
  auto gradient = cm::Parameters<X>{net.parameters()};
  auto average = theta, m = gradient, v = gradient;
  cm::Tape<X> tape;
  cm::Parameters<cm::Variable<X>> watched;
  auto const f = [&](auto const& parameters, X const& x, X const& t) {
    X const skip = sigma_data * sigma_data / (square(t - epsilon) + sigma_data * sigma_data);
    X const out = sigma_data * (t - epsilon) / sqrt(square(t) + sigma_data * sigma_data);
    X const in = 1.0 / sqrt(square(t) + sigma_data * sigma_data);
    auto const F = net(parameters, X(in * x), 0.25 * log(t));
    return cm::evaluated(skip * x + out * F);
  };
  double value = 0;
  for (cm::Index k = 0; k < steps; ++k) {
    auto const x0 = batch(k);
    auto const step = static_cast<std::uint32_t>(k);
    tape.clear();
    gradient.flat().fill(0);
    watched.watch(tape, theta, gradient);
    X const magnitude = mean_per_sample(abs(x0));
    for (cm::Index i = 0; i < n; ++i)
      if (!(magnitude[i] < 16)) std::abort();
    X t{cm::Shape{n, 1}}, r{cm::Shape{n, 1}};
    for (cm::Index i = 0; i < n; ++i) {
      auto const u =
          cm::uniform_block<double>({0, cm::stream::times}, {step, static_cast<std::uint32_t>(i)}, 0);
      auto const j = 1 + std::min<cm::Index>(static_cast<cm::Index>(u[0] * 17), 16);
      t.mutable_data()[i] = static_cast<float>(cm::grid_of(cm::VarianceExploding{})(j + 1, 18));
      r.mutable_data()[i] = static_cast<float>(cm::grid_of(cm::VarianceExploding{})(j, 18));
    }
    auto const z = cm::normal<float>({n, 2}, {0, cm::stream::noise}, {step, 0});
    X const x_t = x0 + t * z;
    X const x_r = x_t + (r - t) * ((x_t - x0) / t);
    X const y = f(theta, x_r, r);
    auto const loss = mean(mean_per_sample(square(f(watched, x_t, t) - y)));
    value = static_cast<double>(loss.value()[0]);
    tape.backward(loss);
    X const norm = sum(square(gradient.flat()));
    if (!std::isfinite(norm[0])) std::abort();
    moment_update(cm::MomentUpdate<X>{.step = cm::Adam{}.at(k + 1),
                                      .gradient = gradient.flat(),
                                      .first_moment = m.flat(),
                                      .second_moment = v.flat(),
                                      .theta = theta.flat(),
                                      .averages = {{{average.flat(), 0.9999}}}});
  }
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  auto const way = std::string_view{argc == 3 ? argv[1] : ""};
  if (way != "hand" && way != "composed") {
    std::fprintf(stderr, "usage: composition hand|composed STEPS\n");
    return 2;
  }
  cm::set_threads(1);
  auto const steps = std::atol(argv[2]);
  std::printf("%.9g\n", way == "hand" ? by_hand(steps) : composed(steps));
}
