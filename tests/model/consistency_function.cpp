// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/parameterization/edm_preconditioning.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/exact.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

static_assert(Network<Mlp> && Network<UNet> && Network<GaussianNetwork>);

namespace {

/// `count` samples from tiny to huge: N(0, 1) draws times 10^(−3 … 3), and a zero.
template <class S>
Tensor<S> many_sizes(Shape shape, std::uint64_t seed) {
  auto x = normal<S>(shape, {seed, stream::noise});
  for (Index i = 0; i < x.count(); ++i)
    x.mutable_data()[i] *= static_cast<S>(std::pow(10.0, static_cast<double>(i % 7 - 3)));
  x.mutable_data()[0] = S(0);
  return x;
}

template <class S>
Tensor<S> all_at(double t, Shape const& shape) {
  return Tensor<S>(shape.per_sample(), static_cast<S>(t));
}

struct ZeroNetwork : GaussianNetwork {
  auto operator()(auto const&, Value auto const& x, Operand auto const&, Mode const& = {}) const {
    return evaluated(0.0 * x);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("f of x and epsilon is x to the last bit for any perceptron", S, float, double) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    auto const f = ConsistencyFunction{Mlp{{.dimensions = 2, .width = 32, .layers = 2}}};
    auto const theta = f.initialize<S>({seed});
    auto const x = many_sizes<S>({5000, 2}, seed);
    CHECK(same_numbers<S>(f(theta, x, all_at<S>(0.002, x.shape())), x));
    CHECK_FALSE(same_numbers<S>(f(theta, x, all_at<S>(0.0021, x.shape())), x));
  }
}

TEST_CASE_TEMPLATE("f of x and epsilon is x to the last bit for any U-Net", S, float, double) {
  auto const f = ConsistencyFunction{
      UNet{{.channels = 8, .blocks = 1, .attention = {4}, .groups = 4, .embedding = 16, .image = {8, 8, 1}}}};
  auto const theta = f.initialize<S>({7});
  auto const x = many_sizes<S>({160, 8, 8, 1}, 7);
  CHECK(same_numbers<S>(f(theta, x, all_at<S>(0.002, x.shape())), x));
  CHECK_FALSE(same_numbers<S>(f(theta, x, all_at<S>(0.0021, x.shape())), x));
}

TEST_CASE("another epsilon moves the boundary") {
  auto const f =
      ConsistencyFunction{Mlp{{.width = 16}}, EdmPreconditioning{}, VarianceExploding{.epsilon = 0.1}};
  auto const theta = f.initialize({1});
  auto const x = many_sizes<float>({100, 2}, 1);
  CHECK(same_numbers<float>(f(theta, x, all_at<float>(0.1, x.shape())), x));
  CHECK_FALSE(same_numbers<float>(f(theta, x, all_at<float>(0.11, x.shape())), x));
}

TEST_CASE("times below the smallest or not finite are rejected with the sample") {
  auto const f = ConsistencyFunction{Mlp{{.width = 16}}};
  auto const theta = f.initialize({1});
  auto const x = normal<float>({3, 2}, {1});
  auto const infinity = std::numeric_limits<float>::infinity();
  for (auto const bad : {0.0F, 0.0019F, -1.0F, infinity, std::nanf("")}) {
    CAPTURE(bad);
    check_fails<ErrorCode::config>(
        [&] {
          f(theta, x, tensor<float>({3, 1}, {0.002F, bad, 80.0F}));
        },
        {"ConsistencyFunction", "time of sample 1", number_text(bad), "0.002"});
  }
  auto const D = Denoiser{Mlp{{.width = 16}}};
  check_fails<ErrorCode::config>([&] { D(theta, x, times<float>(3, 0)); }, {"time of sample 0"});
  D(theta, x, times<float>(3, 0.001));
}

TEST_CASE("times that are not one per sample are rejected with the shapes") {
  auto const f = ConsistencyFunction{Mlp{{.width = 16}}};
  auto const theta = f.initialize({1});
  auto const x = normal<float>({3, 2}, {1});
  for (auto const& shape : {Shape{3}, Shape{1, 1}, Shape{4, 1}, Shape{3, 2}, Shape{3, 1, 1}, Shape{}})
    check_fails<ErrorCode::shape>([&] { f(theta, x, Tensor<float>(shape, 1.0F)); },
                                  {"ConsistencyFunction", shape.text(), "(3, 2)"});
}

TEST_CASE("with the exact network the function solves the ODE of Gaussian data") {
  auto const f = ConsistencyFunction{GaussianNetwork{}};
  auto const theta = f.initialize<double>({});
  auto const gaussian = Gaussian{};
  auto const x = many_sizes<double>({200, 4}, 3);
  for (auto const t : {0.002, 0.00200001, 0.0021, 0.01, 0.5, 1.0, 10.0, 80.0}) {
    CAPTURE(t);
    auto const at = all_at<double>(t, x.shape());
    auto const expected =
        mapped(x, at, [&](double a, double time) { return gaussian.transported(a, time, 0.002); });
    CHECK(distance<double>(f(theta, x, at), expected) <= 1e-11 * magnitude(x));
  }
}

TEST_CASE("the exact consistency function has the values worked out independently") {
  auto const f = ConsistencyFunction{GaussianNetwork{.data = {.m = 0, .s = 0.5}}};
  auto const theta = f.initialize<double>({});
  auto const at = [&](double x, double t) {
    Tensor<double> const y = f(theta, Tensor<double>(Shape{1, 4}, x), times<double>(1, t));
    return y[0];
  };
  CHECK(at(1, 80) == doctest::Approx(.006249927932087134).epsilon(1e-12));
  CHECK(at(1, 1) == doctest::Approx(.44721717319441123).epsilon(1e-12));
}

TEST_CASE("the exact consistency function is constant along trajectories") {
  auto const f = ConsistencyFunction{GaussianNetwork{}};
  auto const theta = f.initialize<double>({});
  auto const gaussian = Gaussian{};
  auto const x = normal<double>({50, 4}, {4});
  auto const start = times<double>(50, 3.0);
  Tensor<double> const y = f(theta, x, start);
  for (auto const u : {0.002, 0.1, 1.0, 40.0}) {
    auto const moved = mapped(x, start, [&](double a, double t) { return gaussian.transported(a, t, u); });
    CHECK(distance<double>(f(theta, moved, times<double>(50, u)), y) < 1e-11);
  }
}

TEST_CASE("a zero network under the denoiser's preconditioning is the best linear denoiser") {
  auto const D = Denoiser{ZeroNetwork{}, EdmPreconditioning{.sigma_data = 0.7}};
  auto const theta = D.initialize<double>({});
  auto const gaussian = Gaussian{.m = 0, .s = 0.7};
  auto const x = normal<double>({20, 4}, {5});
  for (auto const t : {0.002, 0.7, 80.0}) {
    auto const at = times<double>(20, t);
    auto const expected = mapped(x, at, [&](double a, double time) { return gaussian.denoised(a, time); });
    CHECK(distance<double>(D(theta, x, at), expected) < 1e-14);
  }
}

TEST_CASE("samples of one batch may have different times") {
  auto const f = ConsistencyFunction{Mlp{{.width = 16}}};
  auto const theta = f.initialize<double>({6});
  auto const x = normal<double>({3, 2}, {6});
  auto const t = tensor<double>({3, 1}, {0.002, 0.5, 80});
  Tensor<double> const together = f(theta, x, t);
  for (Index i = 0; i < 3; ++i) {
    Tensor<double> const alone = f(theta, x.view(2 * i, {1, 2}).clone(), t.view(i, {1, 1}).clone());
    CHECK(distance<double>(alone, together.view(2 * i, {1, 2})) < 1e-14);
  }
}

TEST_CASE("x and t may be chains that have not run yet") {
  auto const f = ConsistencyFunction{Mlp{{.width = 16}}};
  auto const theta = f.initialize({8});
  auto const x = normal<float>({5, 2}, {8});
  auto const t = times<float>(5, 1.5);
  Tensor<float> const plain = f(theta, evaluated(2.0 * x + 1.0), evaluated(t * t));
  CHECK(same_bits<float>(f(theta, 2.0 * x + 1.0, t * t), plain));
}
