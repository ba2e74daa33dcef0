// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/sampling/one_step.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/training/fd_loss.hpp>
#include <consistency/training/trainer.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "state.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

ConsistencyFunction const f{Mlp{{.dimensions = 2, .width = 16, .layers = 2, .embedding = 8}}, LinearPath{}};

/// Data N(m, Σ).
auto const m = tensor<double>({2}, {0.4, -0.3});
auto const sigma = tensor<double>({2, 2}, {0.5, 0.2, 0.2, 0.3});
auto const method = FdLoss{f, m, sigma, IdentityFeatures{}, 0.9};

/// The moments E φ (2) and E φ φᵀ (2, 2).
struct Moments {
  T mean, square;

  /// Of samples (n, 2).
  static Moments of(T const& x) {
    Moments all{T(Shape{2}, 0.0), T(Shape{2, 2}, 0.0)};
    for (Index k = 0; k < x.shape()[0]; ++k)
      for (Index i = 0; i < 2; ++i) {
        all.mean.mutable_data()[i] += x[2 * k + i];
        for (Index j = 0; j < 2; ++j) all.square.mutable_data()[2 * i + j] += x[2 * k + i] * x[2 * k + j];
      }
    auto const share = 1 / static_cast<double>(x.shape()[0]);
    return {T(share * all.mean), T(share * all.square)};
  }
  static Moments of(T const& mean, T const& covariance) {
    return {mean, T(covariance + reshape(mean, {2, 1}) * mean)};
  }
  /// From the data, by what holds for two dimensions: tr M^½ = (tr M + 2 det^½ M)^½.
  double distance() const {
    T const own = square - reshape(mean, {2, 1}) * mean;
    auto const trace = [](T const& c) { return c[0] + c[3]; };
    auto const determinant = [](T const& c) { return c[0] * c[3] - c[1] * c[2]; };
    return evaluated(sum(consistency::square(mean - m)))[0] + trace(own) + trace(sigma) -
           2 * std::sqrt(evaluated(sum(own * sigma))[0] +
                         2 * std::sqrt(determinant(own) * determinant(sigma)));
  }
};

T batch(Index k, Index n = 32) {
  return 0.5 * normal<double>({n, 2}, Key{5}, {static_cast<std::uint32_t>(k), 0});
}

auto trainer(Index micro_batch = 0) {
  return Trainer{method,
                 Adam{.learning_rate = 3e-3},
                 method.initialize(f.initialize<double>(Key{1})),
                 {.ema = 0.9, .clip = 1, .micro_batch = micro_batch, .key = {9}}};
}

/// The gradient of the loss.
Parameters<T> gradient_of(Parameters<T> const& theta, T const& x0, Draws<T, 1> const& drawn) {
  auto gradient = Parameters<T>{theta.table()};
  Tape<T> tape;
  Parameters<Variable<T>> watched;
  watched.watch(tape, theta, gradient);
  tape.backward(method.loss(watched, theta, Batch<T>{x0}, drawn));
  return gradient;
}

}  // namespace

TEST_CASE("the slope of the Frechet distance is that of its value, and it is 0 at the data's moments") {
  auto const to_data = FrechetSlope<>{m, sigma};
  auto const here = to_data.at(to_data.mean(), to_data.square());
  CHECK(std::abs(here.distance) < 1e-12);
  CHECK(magnitude(here.by_mean) < 1e-12);
  CHECK(magnitude(here.by_square) < 1e-12);

  auto const [mean, square] =
      Moments::of(tensor<double>({2}, {-0.2, 0.1}), tensor<double>({2, 2}, {0.2, -0.1, -0.1, 0.4}));
  auto const value = [](T const& of, T const& squares) { return Moments{of, squares}.distance(); };
  auto const at = to_data.at(mean, square);
  CHECK(at.distance == doctest::Approx(value(mean, square)).epsilon(1e-12));
  constexpr auto h = 1e-6;
  for (Index i = 0; i < 2; ++i) {
    auto const moved = [&](double by) {
      T copy = mean.clone();
      copy.mutable_data()[i] += by;
      return copy;
    };
    CHECK(at.by_mean[i] ==
          doctest::Approx((value(moved(h), square) - value(moved(-h), square)) / (2 * h)).epsilon(1e-7));
    for (Index j = 0; j <= i; ++j) {
      auto const turned = [&](double by) {  // both halves of a symmetric matrix
        T copy = square.clone();
        copy.mutable_data()[2 * i + j] += by / 2;
        copy.mutable_data()[2 * j + i] += by / 2;
        return copy;
      };
      CHECK(at.by_square[2 * i + j] ==
            doctest::Approx((value(mean, turned(h)) - value(mean, turned(-h))) / (2 * h)).epsilon(1e-7));
    }
  }
}

TEST_CASE(
    "the loss is the distance at mixed moments to first order, and its gradient that of the batch's share") {
  auto theta = method.initialize(f.initialize<double>(Key{1}));
  theta.assign("moments.mean", tensor<double>({1, 2}, {0.1, 0.2}));
  theta.assign("moments.square", Moments::of(tensor<double>({2}, {0.1, 0.2}), T(2.0 * sigma)).square);
  auto const x0 = batch(0);
  auto const drawn = method.draw(x0, 0, Key{4});
  auto const value = [&](Parameters<T> const& by) {
    return evaluated(method.loss(by, by, Batch<T>{x0}, drawn))[0];
  };
  auto const gradient = gradient_of(theta, x0, drawn);

  // what it gives for the constants are the batch's own moments
  T const x = f(theta, T(f.process().prior(drawn.z)), drawn.times[0], drawn.mode);
  auto const own = Moments::of(x);
  CHECK(distance(T(reshape(gradient.at("moments.mean"), {2})), own.mean) < 1e-14);
  CHECK(distance(gradient.at("moments.square"), own.square) < 1e-14);

  // halving the batch's share, the error falls to a quarter
  auto const error_of = [&](double share) {
    auto const with = FdLoss{f, m, sigma, IdentityFeatures{}, 1 - share};
    auto const mixed = [&](char const* name, T const& by) {
      T const average = theta.at(name);
      return T((1 - share) * average + share * reshape(by, average.shape()));
    };
    auto const exact =
        Moments{T(reshape(mixed("moments.mean", own.mean), {2})), mixed("moments.square", own.square)}
            .distance();
    return evaluated(with.loss(theta, theta, Batch<T>{x0}, drawn))[0] - exact;
  };
  CHECK(error_of(1e-3) / error_of(5e-4) == doctest::Approx(4).epsilon(1e-2));

  for (ParameterId id = 0; id < f.network().parameters().entries().size(); ++id) {
    auto const along =
        normal<double>(Shape{1, theta[id].count()}, Key{11}, {0, static_cast<std::uint32_t>(id)});
    auto const at = [&](double by) {
      auto moved = theta;
      T const to = theta[id] + by * reshape(along, theta[id].shape());
      moved.assign(theta.table().entries()[id].name, to);
      return value(moved);
    };
    constexpr auto h = 1e-5;
    CHECK(dot(gradient[id], along) == doctest::Approx((at(h) - at(-h)) / (2 * h)).epsilon(1e-6).scale(1e-3));
  }
}

TEST_CASE(
    "the average of moments moves by its rate, in whole batches and micro-batches, and survives a resume") {
  auto whole = trainer(), parts = trainer(8), first = trainer();
  auto const start = whole.theta().at("moments.square").clone();
  whole.step(batch(0));
  auto const drawn = method.draw(batch(0), 0, Key{9});
  auto const begun = f.initialize<double>(Key{1});
  auto const own = Moments::of(T(f(begun, T(f.process().prior(drawn.z)), drawn.times[0], drawn.mode)));
  auto const found = whole.theta().at("moments.square");
  CHECK(distance(found, T(0.9 * start + 0.1 * own.square)) < 1e-14);
  CHECK(same_bits(whole.averaged().at("moments.square"), found));

  // the norm of the gradient is that of the network's
  auto gradient = gradient_of(whole.theta(), batch(1), method.draw(batch(1), 1, Key{9}));
  for (auto const* const name : {"moments.mean", "moments.square"})
    gradient.assign(name, T(gradient.at(name).shape(), 0.0));
  auto const norm = std::sqrt(evaluated(sum(square(gradient.flat())))[0]);
  CHECK(whole.step(batch(1)).gradient_norm == doctest::Approx(norm).epsilon(1e-12));

  for (Index k = 2; k < 6; ++k) whole.step(batch(k));
  for (Index k = 0; k < 6; ++k) parts.step(batch(k));
  CHECK(distance(parts.theta().flat(), whole.theta().flat()) < 1e-9);
  for (Index k = 0; k < 3; ++k) first.step(batch(k));
  auto second = trainer();
  second.resume(first.state());
  for (Index k = 3; k < 6; ++k) second.step(batch(k));
  CHECK(same_state(second.state(), whole.state()));
}

// One seed gave 0.0081, from 0.62.
TEST_CASE("FD-loss brings the samples' mean and covariance to the data's") {
  auto const slow = FdLoss{f, m, sigma, IdentityFeatures{}, 0.95};
  auto const start = slow.initialize(f.initialize<double>(Key{1}));
  auto const of = [&](Parameters<T> const& theta) {
    return Moments::of(sample(f, theta, OneStep{}, {.count = 4000, .batch = 4000})).distance();
  };
  constexpr Index steps = 300;
  Trainer trains{slow,
                 Adam{.learning_rate = 1e-2, .schedule = {.decay_from = steps / 2, .decay_to = steps}},
                 start,
                 {.ema = 0.98}};
  for (Index k = 0; k < steps; ++k) trains.step(batch(k, 128));
  CHECK(of(start) > 0.1);
  CHECK(of(trains.averaged()) < 0.015);
}

TEST_CASE("features and moments that do not belong together are rejected, and the state stays as it was") {
  auto const three = FdLoss{f, T(Shape{3}, 0.0), tensor<double>({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1})};
  auto const start = three.initialize(f.initialize<double>(Key{1}));
  Trainer trains{three, Adam{.learning_rate = 3e-3}, start, {.ema = 0.9}};
  check_fails<ErrorCode::shape>([&] { trains.step(batch(0)); },
                                {"FdLoss", "features", "(32, 2)", "3 numbers"});
  CHECK(same_bits(trains.theta().flat(), start.flat()));
  check_fails<ErrorCode::shape>([] { FrechetSlope<>{m, T(Shape{3, 3}, 0.0)}; }, {"FrechetSlope", "(3, 3)"});
  check_fails<ErrorCode::numeric>(
      [] {
        FrechetSlope<>{m, tensor<double>({2, 2}, {1, 0, 0, -1})};
      },
      {"FrechetSlope", "eigenvalue", "-1"});
  check_fails<ErrorCode::config>([] { FdLoss{f, m, sigma, IdentityFeatures{}, 1}; }, {"FdLoss", "beta"});
  Trainer records{method, Adam{}, method.initialize(f.initialize<double>(Key{1})), {.record = true}};
  check_fails<ErrorCode::config>([&] { records.step(batch(0)); }, {"FdLoss", "record"});
}
