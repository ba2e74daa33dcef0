// SPDX-License-Identifier: MIT
#include <cmath>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/metric/adaptive_l2.hpp>
#include <consistency/metric/l1.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/metric/pseudo_huber.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

static_assert(Metric<AdaptiveL2> && Metric<L1> && Metric<L2> && Metric<PseudoHuber>);

namespace {

using T = Tensor<double>;

T pair_of(Shape const& shape, std::uint64_t seed) { return normal<double>(shape, {seed, stream::noise}); }

/// The same distance by a plain loop over the differences of one sample.
double by_hand(L1 const&, std::span<double const> d) {
  double total = 0;
  for (auto const x : d) total += std::abs(x);
  return total / static_cast<double>(d.size());
}
double by_hand(L2 const&, std::span<double const> d) {
  double total = 0;
  for (auto const x : d) total += x * x;
  return total / static_cast<double>(d.size());
}
double by_hand(PseudoHuber const& metric, std::span<double const> d) {
  double total = metric.c * metric.c;
  for (auto const x : d) total += x * x;
  return std::sqrt(total) - metric.c;
}

}  // namespace

TEST_CASE_TEMPLATE("a distance has the value of its formula for every sample", M, L1, L2, PseudoHuber) {
  for (auto const& shape : {Shape{1, 1}, Shape{3, 5}, Shape{4, 6, 7, 3}}) {
    auto const x = pair_of(shape, 1);
    auto const y = pair_of(shape, 2);
    T const difference = x - y;
    T const d = M{}(x, y);
    CHECK(d.shape() == shape.per_sample());
    auto const per_sample = static_cast<std::size_t>(shape.count() / shape[0]);
    for (Index i = 0; i < shape[0]; ++i) {
      auto const part = difference.values().subspan(static_cast<std::size_t>(i) * per_sample, per_sample);
      CHECK(d[i] == doctest::Approx(by_hand(M{}, part)).epsilon(1e-13));
    }
  }
}

TEST_CASE_TEMPLATE("a distance is symmetric, positive, and zero between equals", M, L1, L2, PseudoHuber) {
  auto const x = normal<float>({4, 3, 3, 2}, {1});
  auto const y = normal<float>({4, 3, 3, 2}, {2});
  Tensor<float> const d = M{}(x, y);
  CHECK(same_bits<float>(M{}(y, x), d));
  for (auto const v : d.values()) CHECK(v > 0);
  Tensor<float> const zero = M{}(x, x);
  for (auto const v : zero.values()) CHECK(v == 0.0F);
}

TEST_CASE_TEMPLATE("the gradient of a distance is that of finite differences", M, L1, L2, PseudoHuber) {
  auto const x = pair_of({3, 2, 2, 2}, 5);
  auto const y = pair_of({3, 2, 2, 2}, 6);
  auto const weights = tensor<double>({3, 1, 1, 1}, {0.3, -1.2, 2.0});
  auto const value = [&](T const& a, T const& b) {
    T const total = sum(weights * M{}(a, b));
    return total[0];
  };
  Tape<T> tape;
  auto const a = tape.watch(x);
  auto const b = tape.watch(y);
  tape.backward(sum(weights * M{}(a, b)));
  constexpr auto h = 1e-5;
  for (Index i = 0; i < x.count(); ++i) {
    auto const slope = [&](bool first) {
      auto up = (first ? x : y).clone();
      auto down = up.clone();
      up.mutable_data()[i] += h;
      down.mutable_data()[i] -= h;
      return (first ? value(up, y) - value(down, y) : value(x, up) - value(x, down)) / (2 * h);
    };
    CHECK(tape.gradient(a)[i] == doctest::Approx(slope(true)).epsilon(1e-7));
    CHECK(tape.gradient(b)[i] == doctest::Approx(slope(false)).epsilon(1e-7));
  }
}

TEST_CASE_TEMPLATE("pseudo-Huber has a finite gradient of 0 between equals", S, float, double) {
  for (auto const c : {0.03, 1e-3, 0.00054}) {
    auto const x = normal<S>({2, 4, 4, 3}, {9});
    Tape<Tensor<S>> tape;
    auto const a = tape.watch(x);
    tape.backward(sum(PseudoHuber{c}(a, x)));
    for (auto const g : tape.gradient(a).values()) CHECK(g == S(0));
  }
}

TEST_CASE("pseudo-Huber is the norm far away and half its square over c near by") {
  auto const at = [](double size) {
    auto const x = T(Shape{1, 3}, size / std::sqrt(3.0));
    T const d = PseudoHuber{0.1}(x, T(Shape{1, 3}, 0.0));
    return d[0];
  };
  CHECK(at(1e6) == doctest::Approx(1e6 - 0.1).epsilon(1e-12));
  CHECK(at(1e-4) == doctest::Approx(1e-8 / 0.2).epsilon(1e-4));
}

TEST_CASE("pseudo-Huber's constant grows with the root of the dimensions") {
  CHECK(std::abs(PseudoHuber::for_dimensions(32 * 32 * 3).c / 0.03 - 1) < 0.003);
  CHECK(std::abs(PseudoHuber::for_dimensions(64 * 64 * 3).c / 0.06 - 1) < 0.003);
  CHECK(PseudoHuber::for_dimensions(4).c == 0.00108);
}

TEST_CASE("the adaptive distance is a square over a power of itself that is constant") {
  auto const x = T(Shape{1, 2}, 0.0);
  auto y = T(Shape{1, 2}, 0.5);
  y.mutable_data()[1] = 1.5;  // ‖x − y‖² = 2.5
  auto const metric = AdaptiveL2{.p = 0.75, .epsilon = 1e-3};
  CHECK(T(metric(x, y))[0] == doctest::Approx(1.2570563316361476).epsilon(1e-10));
  CHECK(T(AdaptiveL2{.p = 1, .epsilon = 1e-2}(x, y))[0] ==
        doctest::Approx(0.9960159362549802).epsilon(1e-10));
  CHECK(T(AdaptiveL2{.p = 0, .of = AdaptiveL2::Of::mean}(x, y))[0] == doctest::Approx(1.25).epsilon(1e-14));
  Tape<T> tape;
  auto const watched = tape.watch(x);
  tape.backward(evaluated(sum(metric(watched, y))));
  auto const& gradient = tape.gradient(watched);
  for (Index i = 0; i < 2; ++i)
    CHECK(gradient[i] == doctest::Approx(-2 * y[i] / std::pow(2.501, 0.75)).epsilon(1e-13));
}
