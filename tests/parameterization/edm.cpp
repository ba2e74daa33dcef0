// SPDX-License-Identifier: MIT
#include <array>
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/parameterization/edm_preconditioning.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

struct Coefficients {
  double skip, out, in, noise;
};

template <class S, class P>
Coefficients at(P const& p, double time, double s) {
  auto const t = Tensor<S>(Shape{1, 1}, static_cast<S>(time));
  auto const number = [](auto const& x) { return static_cast<double>(evaluated(x)[0]); };
  return {number(p.c_skip(t, s)), number(p.c_out(t, s)), number(p.c_in(t)), number(p.c_noise(t))};
}

constexpr auto some_times = std::array{0.002, 0.0021, 0.01, 0.1, 0.5, 1.0, 4.3655616857, 20.0, 80.0};

}  // namespace

TEST_CASE("the coefficients of the consistency model have the values of the formulas") {
  struct Vector {
    double t;
    Coefficients c;  // noise: 250 ln t, a thousand times c_noise
  };
  auto const vectors = std::array{
      Vector{.002, {1, 0, 1.99998400019, -1553.652024605548}},
      Vector{1.3823679566, {.11598690707, .46950843811, .68026562896, 80.949484822}},
      Vector{4.3655616857, {.01295963242, .49652489668, .22757780590, 368.436715109}},
      Vector{80, {3.906292722638e-05, .499977734905, .012499755866527, 1095.5066586684702}},
  };
  for (auto const& v : vectors) {
    CAPTURE(v.t);
    auto const check = [&](Coefficients const& found, double tolerance) {
      CHECK(relative_error(found.skip, v.c.skip) < tolerance);
      CHECK(relative_error(found.out, v.c.out) < tolerance);
      CHECK(relative_error(found.in, v.c.in) < tolerance);
      CHECK(relative_error(1000 * found.noise, v.c.noise) < tolerance);
    };
    check(at<double>(EdmPreconditioning{}, v.t, 0.002), 1e-9);
    check(at<float>(EdmPreconditioning{}, v.t, 0.002), 1e-6);
  }
}

TEST_CASE_TEMPLATE("at epsilon the consistency model is the identity to the last bit", S, float, double) {
  for (auto const epsilon : {0.002, 0.003, 0.1, 1e-3})
    for (auto const sigma_data : {0.5, 0.3, 1.0}) {
      auto const c = at<S>(EdmPreconditioning{sigma_data}, epsilon, epsilon);
      CHECK(c.skip == 1.0);
      CHECK(c.out == 0.0);
    }
}

TEST_CASE("the denoiser's preconditioning gives its network inputs and targets of unit variance") {
  // Data of variance s² and noise of variance t²: c_in² (s² + t²) = 1, and the target (x₀ − c_skip x) / c_out
  // has variance 1 for the least c_out (Karras et al. 2022, Appendix B.6).
  auto const s2 = 0.5 * 0.5;
  for (auto const t : some_times) {
    auto const c = at<double>(EdmPreconditioning{}, t, 0);
    CHECK(c.in * c.in * (s2 + t * t) == doctest::Approx(1).epsilon(1e-13));
    auto const variance = (1 - c.skip) * (1 - c.skip) * s2 + c.skip * c.skip * t * t;
    CHECK(variance / (c.out * c.out) == doctest::Approx(1).epsilon(1e-11));
    CHECK(c.noise == doctest::Approx(std::log(t) / 4).epsilon(1e-14));
  }
}

TEST_CASE("coefficients keep the shape of the times, one per sample") {
  for (auto const& shape : {Shape{3, 1}, Shape{3, 1, 1, 1}}) {
    auto const t = Tensor<float>(shape, 2.0F);
    auto const p = EdmPreconditioning{};
    CHECK(evaluated(p.c_skip(t, 0.002)).shape() == shape);
    CHECK(evaluated(p.c_out(t, 0.002)).shape() == shape);
    CHECK(evaluated(p.c_in(t)).shape() == shape);
    CHECK(evaluated(p.c_noise(t)).shape() == shape);
  }
}
