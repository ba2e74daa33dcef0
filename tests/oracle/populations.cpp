// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/population/drift.hpp>
#include <consistency/population/groups.hpp>
#include <consistency/population/squared_mmd.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

// Losses on populations, of the numbers of a congruential generator: what they give was computed apart, from
// the formulas, to 16 digits.

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;
constexpr auto exactly = 1e-10;

/// Numbers of [0, 1) from a seed, times a and shifted by b.
T numbers(std::uint32_t seed, Shape const& shape, double a = 1, double b = 0) {
  T x{shape};
  for (Index i = 0; i < x.count(); ++i) {
    seed = 1664525U * seed + 1013904223U;
    x.mutable_data()[i] = a * (static_cast<double>(seed) / 4294967296.0) + b;
  }
  return x;
}

auto const generated = numbers(11, {1, 3, 2}), positives = numbers(12, {1, 4, 2}, 1, 0.3);
auto const others = numbers(13, {1, 2, 2});
auto const x = numbers(2, {1, 4, 4}, 0.8, 0.15), y = numbers(1, {1, 4, 4});

/// The value of f of a variable, and its gradient.
std::pair<double, T> differentiated(T const& at, auto const& f) {
  Tape<T> tape;
  auto const watched = tape.watch(at);
  auto const value = f(watched);
  tape.backward(value);
  return {value.value()[0], tape.gradient(watched)};
}

/// Of the drift, as it is minimised.
std::pair<double, T> drift_loss(T const& negatives, DriftSettings const& settings) {
  auto const field = drift(generated, negatives, positives, settings);
  return differentiated(generated, [&](auto const& moved) {
    return mean(L2{}(moved / field.unit, T(generated / field.unit + field.force)));
  });
}

}  // namespace

TEST_CASE("the loss of the drift field and its gradient, with further negatives, at three temperatures") {
  auto const [loss, gradient] = drift_loss(joined(generated, others), {});
  CHECK(loss == doctest::Approx(5.78280918440726).epsilon(exactly));
  auto const known = tensor<double>({1, 3, 2}, {-4.783724320326629, -3.350870433360187, -0.093410390473975,
                                                -1.095175574732911, -0.253321915165722, -0.577137112505247});
  CHECK(distance(gradient, known) < exactly);
  auto const s = drift(generated, joined(generated, others), positives).unit[0] * std::sqrt(2.0);
  CHECK(s == doctest::Approx(0.4646188026303471).epsilon(exactly));
}

TEST_CASE("of one temperature the drift field has a mean square of 1") {
  auto const [loss, gradient] = drift_loss(generated, {.temperatures = {0.2}});
  CHECK(loss == doctest::Approx(1).epsilon(exactly));
  auto const s = drift(generated, generated, positives).unit[0] * std::sqrt(2.0);
  CHECK(s == doctest::Approx(0.4657410875138202).epsilon(exactly));
}

TEST_CASE("samples that are the data do not drift, and groups do not see each other") {
  CHECK(magnitude(drift(generated, generated, generated).force) == 0);
  T const both_x = reshape(joined(generated, T(2.0 * generated)), {2, 3, 2});
  T const both_y = reshape(joined(positives, T(1.0 - positives)), {2, 4, 2});
  auto const [V, unit] = drift(both_x, both_x, both_y);
  auto const first = drift(generated, generated, positives);
  CHECK(distance(T(V.view(0, {1, 3, 2})), first.force) == 0);
  CHECK(unit[0] == first.unit[0]);
}

// But for the least distance, 10⁻⁴, which a sample has from itself.
TEST_CASE("the drift field knows no length and no origin, and outliers leave it finite") {
  auto const [V, unit] = drift(generated, generated, positives);
  auto const moved = [](T const& a) { return T(3.0 * a - 7.0); };
  auto const [there, longer] = drift(moved(generated), moved(generated), moved(positives));
  CHECK(distance(there, V) < 1e-4);
  CHECK(longer[0] == doctest::Approx(3 * unit[0]).epsilon(1e-4));
  T far = positives.clone();
  far.mutable_data()[0] = 1e6;
  CHECK(std::isfinite(magnitude(drift(generated, generated, far).force)));
}

TEST_CASE("the squared mean discrepancy of two populations by the Laplace kernel") {
  auto const rate = T(Shape{1, 4, 1}, 2.0 / 4);
  T const shares = squared_mmd(x, y, rate, LaplaceKernel{});
  CHECK(evaluated(mean(shares))[0] == doctest::Approx(0.1585808940646001).epsilon(exactly));
  CHECK(magnitude(T(mean(squared_mmd(x, x, rate, LaplaceKernel{})))) < 1e-16);
  // its gradient by x, of a population that has two equal members as well
  T twins = x.clone();
  for (Index j = 0; j < 4; ++j) twins.mutable_data()[4 + j] = twins[j];
  for (auto const& at : {x, twins}) {
    auto const f = [&](auto const& of) { return mean(squared_mmd(of, y, rate, LaplaceKernel{})); };
    auto const gradient = differentiated(at, f).second;
    for (Index i = 0; i < at.count(); ++i) {
      constexpr auto h = 1e-5;
      T above = at.clone(), below = at.clone();
      above.mutable_data()[i] += h;
      below.mutable_data()[i] -= h;
      CHECK(gradient[i] == doctest::Approx((f(above)[0] - f(below)[0]) / (2 * h)).epsilon(1e-6));
    }
  }
}

TEST_CASE("by the energy kernel, the discrepancy of two single samples is twice their distance") {
  T const one = grouped(reshape(x, {4, 4}), 1), other = grouped(reshape(y, {4, 4}), 1);
  T const found = squared_mmd(one, other, T(Shape{4, 1, 1}, 1.0), EnergyKernel{});
  T const apart = distances(one, other, 1e-8);
  CHECK(distance(found, T(2.0 * apart)) < 1e-7);  // a sample is 10⁻⁸ from itself
}

TEST_CASE("groups are of samples that follow each other, and whole") {
  auto const a = numbers(5, {6, 2, 1, 2});
  T const groups = grouped(a, 3);
  CHECK(groups.shape() == Shape{2, 3, 4});
  CHECK(same_bits(T(reshape(groups, a.shape())), a));
  require_groups("Drifting", 4, 8, 12);
  check_fails<ErrorCode::config>([] { require_groups("Drifting", 4, 8, 10); }, {"Drifting", "group", "10"});
  check_fails<ErrorCode::config>([] { require_groups("Drifting", 4, 6, 8); }, {"Drifting", "group", "6"});
  check_fails<ErrorCode::config>([] { DriftSettings{.temperatures = {}}.check(); }, {"temperatures"});
  check_fails<ErrorCode::config>([] { DriftSettings{.temperatures = {0.1, 0}}.check(); }, {"temperature"});
}
