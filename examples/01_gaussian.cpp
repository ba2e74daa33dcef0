// SPDX-License-Identifier: MIT
// Samples a Gaussian in one step with its exact consistency function: no network, no training.
#include <cmath>
#include <cstdio>

#include <consistency/consistency.hpp>

namespace cm = consistency;

int main() {
  constexpr double m = 0.3, s = 0.5, epsilon = 0.002;

  // Data N(m, s²) under the probability-flow ODE: f(x, t) = m + (x − m) √((s² + ε²) / (s² + t²)).
  auto const f = [=](cm::Value auto const& x, cm::Value auto const& t) {
    return cm::evaluated(m + (x - m) * (std::sqrt(s * s + epsilon * epsilon) / sqrt(s * s + square(t))));
  };

  auto const x = cm::sample(f, cm::Shape{1}, cm::OneStep{}, {.seed = 1, .count = 100000, .batch = 100000});

  auto const mean = cm::mean(x)[0];
  auto const variance = cm::mean(square(x - mean))[0];
  std::printf("mean %.4f, standard deviation %.4f; the data has %.4f and %.4f\n", static_cast<double>(mean),
              std::sqrt(static_cast<double>(variance)), m, s);
  return std::abs(mean - m) < 0.01 && std::abs(std::sqrt(variance) - s) < 0.01 ? 0 : 1;
}
