// SPDX-License-Identifier: MIT
// A noise process of one's own, the variance-preserving cosine, and its parameterization: flow matching on
// it, and samples along it.
#include <cmath>
#include <cstdio>
#include <numbers>
#include <string>

#include <consistency/consistency.hpp>

namespace cm = consistency;

// x_t = cos(πt/2) x₀ + sin(πt/2) z for t from ε to T = 1.
struct Cosine {
  static constexpr bool straight = false;
  double epsilon = 1e-3, T = 1, rho = 1;

  cm::TimeRange range() const { return {epsilon, T}; }
  void check() const { cm::check_range("Cosine", range(), 1); }
  std::string text() const { return "Cosine{" + cm::number_text(epsilon) + ", " + cm::number_text(T) + "}"; }

  auto point(auto const& x0, auto const& z, auto const& t) const { return a(t) * x0 + b(t) * z; }
  auto data_velocity(auto const& x0, auto const& z, auto const& t) const {
    return c * (a(t) * z - b(t) * x0);
  }
  auto velocity(auto const& x, auto const& D, auto const& t) const { return c * (a(t) * x - D) / b(t); }
  auto denoised(auto const& x, auto const& v, auto const& t) const { return a(t) * x - (1 / c) * b(t) * v; }
  auto score(auto const& x, auto const& D, auto const& t) const { return (a(t) * D - x) / (b(t) * b(t)); }
  auto step(auto const& x, auto const& D, auto const& t, auto const& s) const {
    return a(s) * D + b(s) * ((x - a(t) * D) / b(t));
  }
  auto prior(auto const& z) const { return std::sin(c * T) * z; }
  auto renoise(auto const& x, auto const& z, double s, double t) const {
    auto const kept = scale(t) / scale(s);
    return kept * x + std::sqrt(std::pow(std::sin(c * t), 2) - std::pow(kept * std::sin(c * s), 2)) * z;
  }
  double scale(double t) const { return std::cos(c * t); }
  double sigma(double t) const { return std::tan(c * t); }
  double time(double sigma) const { return std::atan(sigma) / c; }

 private:
  static constexpr double c = std::numbers::pi / 2;
  static auto a(auto const& t) { return cm::evaluated(cos(c * t)); }  // once for each sample
  static auto b(auto const& t) { return cm::evaluated(sin(c * t)); }
};
static_assert(cm::NoiseProcess<Cosine>);

// F is the velocity over π/2.
struct CosineVelocity {
  static constexpr double smallest_time = 0;
  auto c_skip(auto const& t, double s) const { return cos((std::numbers::pi / 2) * (t - s)); }
  auto c_out(auto const& t, double s) const { return -1.0 * sin((std::numbers::pi / 2) * (t - s)); }
  auto c_in(auto const& t) const { return 0.0 * t + 1.0; }
  auto c_noise(auto const& t) const { return 1.0 * t; }
};
static_assert(cm::Parameterization<CosineVelocity>);

int main() {
  constexpr cm::Index steps = 2000;
  cm::Denoiser const D{cm::Mlp{{.dimensions = 1, .width = 48, .layers = 2}}, CosineVelocity{}, Cosine{}};
  cm::Trainer trainer{cm::FlowMatching{.f = D, .distribution = {.mean = -0.7, .deviation = 1.2}},
                      cm::Adam{.learning_rate = 3e-3, .schedule = {.decay_from = 1000, .decay_to = steps}},
                      D.initialize(cm::Key{1}),
                      {.ema = 0.99}};
  for (cm::Index k = 0; k < steps; ++k)  // data: N(0.3, 0.5²)
    trainer.step(0.3 +
                 0.5 * cm::normal<float>({256, 1}, cm::Key{2}, {.step = static_cast<std::uint32_t>(k)}));

  auto const x = cm::sample(D, trainer.averaged(), cm::OdeSampler<cm::Heun>{}, {.seed = 1, .count = 4000});
  auto const mean = cm::mean(x)[0];
  auto const deviation = std::sqrt(cm::mean(square(x - mean))[0]);
  std::printf("mean %.3f, standard deviation %.3f; the data has 0.300 and 0.500\n", static_cast<double>(mean),
              static_cast<double>(deviation));
  return std::abs(mean - 0.3F) < 0.05F && std::abs(deviation - 0.5F) < 0.05F ? 0 : 1;
}
