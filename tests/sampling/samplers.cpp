// SPDX-License-Identifier: MIT
// EulerAncestral and DpmSolverPlusPlus2M, and DPM-2 as a solver, beside independent evaluations.
#include <array>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/process/linear_path.hpp>
#include <consistency/process/trigonometric.hpp>
#include <consistency/sampling/dpm_solver_plus_plus_2m.hpp>
#include <consistency/sampling/euler_ancestral.hpp>
#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/solver/dpm2.hpp>
#include <consistency/solver/midpoint.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

auto const data = Gaussian{.m = 0.3, .s = 0.5};
auto denoiser() {
  return [](T const& x, T const& t) {
    return mapped(x, t, [](double a, double b) { return data.denoised(a, b); });
  };
}

/// The denoiser of the same data on a process that mixes x₀ and z as α x₀ + β z.
auto denoiser_on(auto const& process) {
  return [process](T const& x, T const& t) {
    return mapped(x, t, [&](double a, double time) {
      auto const scale = process.scale(time);
      if (scale < 1e-12) return data.m;
      return data.denoised(a / scale, process.sigma(time));
    });
  };
}

double drawn(auto const& sampler, std::uint64_t seed = 3) {
  return sample<T>(denoiser(), Shape{1}, sampler, {.seed = seed})[0];
}

/// The times that samplers of noise levels take: N of Karras's, then 0.
std::vector<double> karras_times(Index N) {
  std::vector<double> sigmas;
  for (Index i = 0; i < N; ++i) {
    auto const low = std::pow(0.002, 1 / 7.0), high = std::pow(80.0, 1 / 7.0);
    sigmas.push_back(std::pow(high + static_cast<double>(i) / static_cast<double>(N - 1) * (low - high), 7));
  }
  sigmas.push_back(0);
  return sigmas;
}

double noise(std::uint64_t seed, std::uint32_t draw) {
  return normal<double>({1, 1}, {seed, stream::sampling}, {draw, 0})[0];
}

double deviation(T const& x) {
  auto const m = mean(x)[0];
  return std::sqrt(mean(square(x - m))[0]);
}

/// What a sampler that ends at ε errs by where the flow is known, for N and 2 N steps: log₂ of the ratio.
double observed_order(auto const& make, NoiseProcess auto const& process, Index N) {
  auto const error = [&](Index steps) {
    auto const z = normal<double>({1, 1}, {5, stream::sampling});
    auto const [epsilon, T_] = process.range();
    auto const x = sample<T>(denoiser_on(process), process, Shape{1}, make(steps), {.seed = 5})[0];
    auto const start = T{process.prior(z)}[0];
    auto const at = [&](double time) {
      auto const a = process.scale(time);
      return std::pair{a * data.m, a * std::hypot(data.s, process.sigma(time))};
    };
    auto const [m0, s0] = at(T_);
    auto const [m1, s1] = at(epsilon);
    return std::abs(x - (m1 + (start - m0) / s0 * s1));
  };
  return std::log2(error(N) / error(2 * N));
}

}  // namespace

TEST_CASE("Euler's ancestral sampler is the published one with the same noise") {
  for (auto const eta : {1.0, 0.5, 0.0}) {
    auto const sigmas = karras_times(12);
    auto x = 80 * noise(3, 0);
    for (std::size_t i = 0; i + 1 < sigmas.size(); ++i) {
      auto const from = sigmas[i], to = sigmas[i + 1];
      auto const up = std::min(to, eta * std::sqrt(to * to * (from * from - to * to) / (from * from)));
      auto const down = std::sqrt(to * to - up * up);
      auto const d = (x - data.denoised(x, from)) / from;
      x += d * (down - from);
      if (to > 0) x += noise(3, static_cast<std::uint32_t>(i + 1)) * up;
    }
    CAPTURE(eta);
    CHECK(drawn(EulerAncestral{.steps = 12, .eta = eta}) == doctest::Approx(x).epsilon(1e-10));
  }
  CHECK(drawn(EulerAncestral{.steps = 12, .eta = 0}) ==
        doctest::Approx(drawn(OdeSampler<Ddim>{.steps = 12})).epsilon(1e-12));
}

TEST_CASE("DPM-Solver++(2M) is the published one, in exponentials of lambda") {
  auto const sigmas = karras_times(12);
  auto x = 80 * noise(3, 0);
  double before = 0;
  for (std::size_t i = 0; i + 1 < sigmas.size(); ++i) {
    auto const lambda = -std::log(sigmas[i]);
    auto const D = data.denoised(x, sigmas[i]);
    if (sigmas[i + 1] == 0) {
      x = D;
      break;
    }
    auto const h = -std::log(sigmas[i + 1]) - lambda;
    auto carried = D;
    if (i > 0) {
      auto const r = (lambda + std::log(sigmas[i - 1])) / h;
      carried = (1 + 1 / (2 * r)) * D - 1 / (2 * r) * before;
    }
    x = std::exp(-h) * x - std::expm1(-h) * carried;
    before = D;
  }
  CHECK(drawn(DpmSolverPlusPlus2M{.steps = 12}) == doctest::Approx(x).epsilon(1e-10));
}

TEST_CASE("DPM-2 with its middle in the third root of t is the published one") {
  auto const sigmas = karras_times(12);
  auto x = 80 * noise(3, 0);
  for (std::size_t i = 0; i + 1 < sigmas.size(); ++i) {
    auto const from = sigmas[i], to = sigmas[i + 1];
    auto const d = (x - data.denoised(x, from)) / from;
    auto const middle = std::pow((std::cbrt(from) + std::cbrt(to)) / 2, 3);
    auto const half = x + d * (middle - from);
    x += (half - data.denoised(half, middle)) / middle * (to - from);
  }
  CHECK(drawn(OdeSampler<Midpoint>{.steps = 12}) == doctest::Approx(x).epsilon(1e-10));
}

TEST_CASE("samplers end where those of Song et al. 2023's program do with the same noise") {
  // cm/karras_diffusion.py of openai/consistency_models in float64, with this denoiser and these draws of z.
  CHECK(drawn(EulerAncestral{.steps = 12}) == doctest::Approx(0.5757020021718375).epsilon(1e-12));
  CHECK(drawn(OdeSampler<Midpoint>{.steps = 12}) == doctest::Approx(0.06551987187630748).epsilon(1e-12));
  CHECK(drawn(OdeSampler<Heun>{
            .steps = 12, .churn = 4, .churn_min = 0.05, .churn_max = 50, .churn_noise = 1.003}) ==
        doctest::Approx(0.9567806382724191).epsilon(1e-12));
  CHECK(drawn(OdeSampler<Euler>{.steps = 11, .to_zero = false}) ==
        doctest::Approx(0.12683606374512504).epsilon(1e-12));
}

TEST_CASE("samplers without noise of their own end where k-diffusion's do from the same noise") {
  // k-diffusion 0.1.1 in float64 with this denoiser, get_sigmas_karras(12, 0.002, 80) and x = 80 and -60.
  auto const z = Tensor<float>{{2, 1}, std::vector{1.0F, -0.75F}};
  auto const check = [&](auto const& sampler, std::array<double, 2> const& expected) {
    auto const x = sample<T>(denoiser(), Shape{1}, sampler, {.count = 2, .noise = z});
    for (Index i = 0; i < 2; ++i)
      CHECK(x[i] == doctest::Approx(expected[static_cast<std::size_t>(i)]).epsilon(1e-10).scale(0));
  };
  check(DpmSolverPlusPlus2M{.steps = 12}, {0.8636551435099584, -0.12645426792535142});
  check(OdeSampler<Heun>{.steps = 12}, {0.8681795774988044, -0.12987739677763965});
  check(OdeSampler<Euler>{.steps = 12}, {0.6846498489144328, 0.008978847057210637});
  check(OdeSampler<Dpm2>{.steps = 12}, {0.8378936953945619, -0.1069634859760612});
}

TEST_CASE("with one evaluation a step DPM-Solver++(2M) is of second order on every process, Ddim of first") {
  auto const check = [](auto const& process) {
    CAPTURE(process.text());
    auto const two = observed_order([](Index N) { return DpmSolverPlusPlus2M{.steps = N, .to_zero = false}; },
                                    process, 200);
    auto const one =
        observed_order([](Index N) { return OdeSampler<Ddim>{.steps = N, .to_zero = false}; }, process, 200);
    CHECK(std::abs(two - 2) < 0.1);
    CHECK(std::abs(one - 1) < 0.05);
  };
  check(VarianceExploding{});
  check(LinearPath{.epsilon = 0.05, .T = 0.99});
  check(Trigonometric{.epsilon = 0.1, .T = 1.2});
}

TEST_CASE("samples of every sampler have the data's deviation on every process, from noise alone too") {
  constexpr Index n = 20000;
  auto const check = [](auto const& process, auto const& sampler) {
    CAPTURE(process.text());
    auto const x =
        sample<T>(denoiser_on(process), process, Shape{1}, sampler, {.seed = 1, .count = n, .batch = n});
    CHECK(std::abs(mean(x)[0] - data.m) < 5 * data.s / std::sqrt(static_cast<double>(n)));
    CHECK(std::abs(deviation(x) / data.s - 1) < 0.03);
  };
  auto const all = [&](auto const& process) {
    check(process, EulerAncestral{.steps = 200});
    check(process, DpmSolverPlusPlus2M{.steps = 64});
    check(process, OdeSampler<Midpoint>{.steps = 64});
  };
  all(VarianceExploding{});
  all(Trigonometric{});
  check(LinearPath{}, EulerAncestral{.steps = 200});
  check(LinearPath{}, DpmSolverPlusPlus2M{.steps = 64});
}

TEST_CASE("samplers with noise or a memory give a sample the same bits in any batch") {
  auto const check = [](auto const& sampler) {
    auto const whole = sample<T>(denoiser(), Shape{2}, sampler, {.seed = 4, .count = 5});
    CHECK(same_bits(sample<T>(denoiser(), Shape{2}, sampler, {.seed = 4, .count = 5, .batch = 2}), whole));
  };
  check(EulerAncestral{.steps = 6});
  check(DpmSolverPlusPlus2M{.steps = 6});
}

TEST_CASE("settings outside their range are rejected with their value") {
  auto const run = [](auto const& sampler) { sample<T>(denoiser(), Shape{1}, sampler); };
  check_fails<ErrorCode::config>([&] { run(EulerAncestral{.eta = 1.5}); }, {"EulerAncestral", "eta", "1.5"});
  check_fails<ErrorCode::config>([&] { run(EulerAncestral{.steps = 0}); }, {"EulerAncestral", "steps", "0"});
  check_fails<ErrorCode::config>([&] { run(DpmSolverPlusPlus2M{.steps = 0}); },
                                 {"DpmSolverPlusPlus2M", "steps", "0"});
}
