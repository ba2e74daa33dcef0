// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/model/consistency_function.hpp>
#include <consistency/solver/euler.hpp>
#include <consistency/solver/heun.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

/// D(φ, x, t) of Gaussian data; φ counts for nothing.
struct ExactDenoiser {
  Gaussian data;
  T operator()(int, T const& x, T const& t) const {
    return mapped(x, t, [&](double a, double time) { return data.denoised(a, time); });
  }
};

}  // namespace

TEST_CASE("with the velocity of the data an Euler step slides along the line through data and noise") {
  auto const x0 = normal<double>({6, 3, 3, 2}, {1});
  auto const z = normal<double>(x0.shape(), {2});
  auto const t = T(x0.shape().per_sample(), 3.0);
  auto const r = T(x0.shape().per_sample(), 0.4);
  T const from = x0 + t * z;
  T const to = x0 + r * z;
  CHECK(distance(Euler{}.step(DataVelocity{}.given(VarianceExploding{}, Batch{x0}), from, t, r), to) < 1e-14);
  CHECK(distance(Heun{}.step(DataVelocity{}.given(VarianceExploding{}, Batch{x0}), from, t, r), to) < 1e-14);
}

TEST_CASE("the velocity of a teacher is that of its denoiser") {
  auto const data = Gaussian{};
  auto const teacher = TeacherVelocity{ExactDenoiser{data}, 0};
  auto const x = normal<double>({5, 4}, {3});
  auto const t = times<double>(5, 1.3);
  auto const v = teacher.given(VarianceExploding{}, Batch{x});
  CHECK(distance<double>(v(x, t), exact_velocity(data)(x, t)) < 1e-14);
}

TEST_CASE("the velocity of the data is that of the teacher on average") {
  // E[(x − x₀) / t | x_t = x] = (x − D(x, t)) / t: x₀ given x is N(D, s² t² / (s² + t²)) for Gaussian data.
  auto const data = Gaussian{};
  constexpr Index n = 200000;
  constexpr auto t = 0.8;
  constexpr auto x = 1.1;
  auto const spread = data.s * t / std::hypot(data.s, t);
  T const x0 = data.denoised(x, t) + spread * normal<double>({n, 1}, {4});
  T const v =
      mean(DataVelocity{}.given(VarianceExploding{}, Batch{x0})(T(Shape{n, 1}, x), times<double>(n, t)));
  auto const expected = (x - data.denoised(x, t)) / t;
  CHECK(std::abs(v[0] - expected) < 5 * spread / t / std::sqrt(static_cast<double>(n)));
}
