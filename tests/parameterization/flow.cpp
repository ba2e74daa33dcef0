// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <consistency/parameterization/of_process.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

/// Velocities in the units of the network: F of the parameterization for a velocity of the process.
T network_output(LinearPath const&, T const& v) { return v; }
T network_output(Trigonometric const& process, T const& v) { return v / T(Shape{}, process.sigma_data); }

}  // namespace

TEST_CASE_TEMPLATE(
    "with the velocity of data and noise as F, the denoiser is the data and f the path's point at s", Process,
    LinearPath, Trigonometric) {
  auto const process = Process{};
  auto const p = parameterization_of(process);
  auto const x0 = normal<double>({30, 2}, {1});
  auto const z = normal<double>({30, 2}, {2});
  T t{Shape{30, 1}};
  for (Index i = 0; i < 30; ++i) t.mutable_data()[i] = 0.05 + 0.9 * static_cast<double>(i) / 30;
  T const x_t = process.point(x0, z, t);
  T const F = network_output(process, T(process.data_velocity(x0, z, t)));
  for (auto const s : {0.0, 0.001, 0.04}) {
    T const found = p.c_skip(t, s) * x_t + p.c_out(t, s) * F;
    CHECK(distance(found, T(process.point(x0, z, T(t.shape(), s)))) < 1e-13);
  }
}

TEST_CASE_TEMPLATE("at s the whole is x to the last bit, and the coefficients keep the shape of the times",
                   Process, LinearPath, Trigonometric) {
  auto const p = parameterization_of(Process{});
  auto const t = Tensor<float>(Shape{3, 1, 1}, 0.25F);
  Tensor<float> const skip = p.c_skip(t, 0.25), out = p.c_out(t, 0.25), in = p.c_in(t), noise = p.c_noise(t);
  CHECK(same_bits(skip, Tensor<float>(t.shape(), 1.0F)));
  for (Index i = 0; i < 3; ++i) CHECK(out[i] == 0.0F);
  CHECK(in.shape() == t.shape());
  CHECK(same_bits(noise, t));
}
