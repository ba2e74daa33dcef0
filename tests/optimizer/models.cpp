// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/core/glob.hpp>
#include <consistency/optimizer/adamw.hpp>
#include <consistency/optimizer/frozen.hpp>
#include <consistency/optimizer/groups.hpp>
#include <consistency/optimizer/muon.hpp>
#include <consistency/optimizer/radam.hpp>
#include <consistency/optimizer/sgd.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using T = Tensor<double>;

struct OneUpdate {};
static_assert(!Optimizer<OneUpdate> && !Optimizer<int> && Optimizer<Groups<Adam, Frozen>>);
static_assert(MomentOptimizer<AdamW> && !MomentOptimizer<Sgd> && !MomentOptimizer<Groups<Adam>>);
static_assert(Groups<Muon, AdamW, Sgd>::state_names.size() == 3);

template <std::size_t N>
using Names = std::array<std::string_view, N>;
static_assert(names_of_state(Names<0>{}) && names_of_state(Names<2>{"first", "second"}));
static_assert(!names_of_state(Names<2>{"first", "first"}) && !names_of_state(Names<1>{"first,second"}));
static_assert(!names_of_state(Names<1>{""}) && !names_of_state(Names<1>{"averaged_2"}));
static_assert(!names_of_state(Names<1>{"theta"}) && !names_of_state(Names<1>{"target"}));
static_assert(!names_of_state(Names<9>{"a", "b", "c", "d", "e", "f", "g", "h", "i"}));

/// Two matrices, a kernel and two vectors.
ParameterTable table() {
  ParameterTable all;
  all.add("in.weight", {3, 5}, Initializer::variance(3));
  all.add("in.bias", {5}, Initializer::variance(1));
  all.add("conv.weight", {3, 3, 2, 4}, Initializer::variance(18));
  all.add("out.weight", {5, 2}, Initializer::variance(5));
  all.add("out.bias", {2}, Initializer::variance(1));
  return all;
}

/// A run of an optimizer: the parameters after updates by draws.
template <class O>
struct Run {
  explicit Run(O const& one) : optimizer{one} {
    for (auto const name : O::state_names) {
      static_cast<void>(name);
      state.emplace_back(table());
    }
  }
  T gradient(Index k) const {
    auto g = Parameters<T>::initialized(table(), Key{static_cast<std::uint64_t>(100 + k)});
    return g.flat();
  }
  void step(Index k, double scale = 1) {
    Update<T> u{.k = k,
                .scale = scale,
                .gradient = gradient(k),
                .theta = theta.flat(),
                .state = {},
                .entries = theta.table().entries()};
    for (std::size_t i = 0; i < state.size(); ++i) u.state[i] = state[i].flat();
    optimizer.update(u);
  }
  O optimizer;
  Parameters<T> theta = Parameters<T>::initialized(table(), Key{1});
  std::vector<Parameters<T>> state{};
};

T matrix(Parameters<T> const& of, char const* name) {
  auto const& x = of.at(name);
  return x.reshaped({x.count() / x.shape().back(), x.shape().back()});
}

}  // namespace

TEST_CASE("gradient descent with momentum is that of the formula, clipped gradients too") {
  Run run{Sgd{.learning_rate = 0.1, .momentum = 0.8, .schedule = {.decay_from = 1, .decay_to = 5}}};
  T theta = run.theta.flat().clone();
  T b(theta.shape(), 0.0);
  for (Index k = 1; k <= 4; ++k) {
    run.step(k, 0.5);
    b = 0.8 * b + 0.5 * run.gradient(k);
    theta = theta - (0.1 * run.optimizer.schedule.factor(k)) * b;
    CHECK(distance(run.theta.flat(), theta) < 1e-15);
  }
}

TEST_CASE("decoupled decay shrinks parameters by the rate alone, whatever their gradients are") {
  auto const schedule = RateSchedule{.warmup = 3};
  Run adam{Adam{.learning_rate = 0.01, .schedule = schedule}};
  Run with{AdamW{.learning_rate = 0.01, .decay = 0.3, .schedule = schedule}};
  for (Index k = 1; k <= 5; ++k) {
    auto const before = adam.theta.flat().clone();
    with.theta.flat().assign(before);
    adam.step(k);
    with.step(k);
    T const expected = adam.theta.flat() - (0.01 * schedule.factor(k) * 0.3) * before;
    CHECK(distance(with.theta.flat(), expected) < 1e-15);
  }
}

TEST_CASE("Muon moves a matrix by one whose singular values are near 1, and the rest as AdamW does") {
  Run muon{Muon{.learning_rate = 0.1, .momentum = 0, .iterations = 12, .rest = {.learning_rate = 0.01}}};
  Run rest{AdamW{.learning_rate = 0.01}};
  auto const before = muon.theta;
  muon.step(1);
  rest.step(1);
  for (auto const* name : {"in.weight", "conv.weight", "out.weight"}) {
    CAPTURE(name);
    auto const rows = matrix(before, name).shape()[0], columns = matrix(before, name).shape()[1];
    auto const shape = std::sqrt(std::max(1.0, static_cast<double>(columns) / static_cast<double>(rows)));
    T const moved = (matrix(before, name) - matrix(muon.theta, name)) / T(Shape{}, 0.1 * shape);
    // XᵀX or XXᵀ, whichever is the smaller: its eigenvalues lie between the iteration's 0.7² and 1.2².
    T const x = reshape(moved, {1, rows, columns});
    T const gram = rows <= columns
                       ? T(attention_scores(x, x, {}))
                       : T(attention_mix(reshape(x, {1, 1, rows, columns}), x, {.transposed = true}));
    auto const n = std::min(rows, columns);
    double trace = 0, off = 0;
    for (Index i = 0; i < n; ++i)
      for (Index j = 0; j < n; ++j) {
        auto const a = gram[i * n + j];
        (i == j ? trace : off) += i == j ? a : std::abs(a);
      }
    CHECK(trace / static_cast<double>(n) > 0.45);
    CHECK(trace / static_cast<double>(n) < 1.5);
    CHECK(off / static_cast<double>(n) < 0.7);
    // It points the way of the gradient: their inner product is the sum of its singular values, nearly.
    T const along = sum(matrix(before, name) * T(Shape{}, 0.0) +
                        moved * matrix(Parameters<T>::initialized(table(), Key{101}), name));
    CHECK(along[0] > 0);
  }
  for (auto const* name : {"in.bias", "out.bias"}) CHECK(same_bits(muon.theta.at(name), rest.theta.at(name)));
}

TEST_CASE("groups move their parameters as each optimizer alone would, and a frozen one stays") {
  Run groups{Groups{Group{{"in.*"}, Sgd{}}, Group{{"conv.weight"}, Frozen{}}, Group{{"out*"}, RAdam{}}}};
  groups.optimizer.check(table());
  Run sgd{Sgd{}};
  Run radam{RAdam{}};
  for (Index k = 1; k <= 8; ++k) groups.step(k), sgd.step(k), radam.step(k);
  CHECK(same_bits(groups.theta.at("in.weight"), sgd.theta.at("in.weight")));
  CHECK(same_bits(groups.theta.at("in.bias"), sgd.theta.at("in.bias")));
  CHECK(same_bits(groups.theta.at("out.weight"), radam.theta.at("out.weight")));
  CHECK(same_bits(groups.theta.at("out.bias"), radam.theta.at("out.bias")));
  CHECK(same_bits(groups.theta.at("conv.weight"),
                  Parameters<T>::initialized(table(), Key{1}).at("conv.weight")));
}

TEST_CASE("a parameter in no group or in two is rejected by name, and so are settings of one group") {
  check_fails<ErrorCode::config>(
      [] {
        Groups{Group{{"in.*", "out*"}, Sgd{}}}.check(table());
      },
      {"Groups", "conv.weight", "0 groups", "Frozen"});
  check_fails<ErrorCode::config>(
      [] {
        Groups{Group{{"*"}, Sgd{}}, Group{{"*.bias"}, Adam{}}}.check(table());
      },
      {"in.bias", "2 groups", "apart"});
  check_fails<ErrorCode::config>(
      [] {
        Groups{Group{{"*"}, Sgd{.momentum = 1}}}.check(table());
      },
      {"Sgd", "momentum", "found 1,"});
}

TEST_CASE("settings that cannot be are rejected with their value") {
  check_fails<ErrorCode::config>([] { Sgd{.learning_rate = -1}.check(); }, {"Sgd", "learning_rate", "-1"});
  check_fails<ErrorCode::config>([] { AdamW{.decay = -0.1}.check(); }, {"AdamW", "decay", "-0.1"});
  check_fails<ErrorCode::config>([] { AdamW{.learning_rate = 1, .decay = 2}.check(); },
                                 {"AdamW", "decay", "2"});
  check_fails<ErrorCode::config>([] { Muon{.iterations = 0}.check(); }, {"Muon", "iterations", "0"});
  check_fails<ErrorCode::config>([] { Muon{.rest = {.beta1 = 1}}.check(); }, {"Adam", "beta1"});
}

TEST_CASE(
    "schedules count as optax does: rise, stay, and fall in a line, along a cosine or as an inverse root") {
  auto const flat = RateSchedule{};
  CHECK(flat.factor(1) == 1.0);
  CHECK(flat.factor(1000000) == 1.0);
  auto const linear = RateSchedule{.warmup = 10, .decay_from = 20, .decay_to = 60, .final = 0.5};
  CHECK(linear.factor(1) == 0.0);
  CHECK(linear.factor(6) == doctest::Approx(0.5));
  CHECK(linear.factor(21) == 1.0);
  CHECK(linear.factor(41) == doctest::Approx(0.75));
  CHECK(linear.factor(61) == doctest::Approx(0.5));
  CHECK(linear.factor(1000) == doctest::Approx(0.5));
  auto const cosine = RateSchedule{.decay_to = 100, .decay = Decay::cosine, .final = 0.1};
  for (Index const done : {0, 1, 25, 50, 99, 100, 200}) {
    auto const share = std::min(1.0, static_cast<double>(done) / 100);
    CHECK(cosine.factor(done + 1) ==
          doctest::Approx(0.1 + 0.9 * 0.5 * (1 + std::cos(3.14159265358979 * share))));
  }
  auto const root = RateSchedule{.decay_from = 100, .decay = Decay::inverse_root};
  CHECK(root.factor(101) == 1.0);
  CHECK(root.factor(401) == doctest::Approx(0.5));
  CHECK(root.factor(10001) == doctest::Approx(0.1));
  check_fails<ErrorCode::config>([] { RateSchedule{.decay = Decay::inverse_root}.check(); },
                                 {"inverse root"});
  check_fails<ErrorCode::config>([] { RateSchedule{.decay_from = 9, .decay = Decay::cosine}.check(); },
                                 {"RateSchedule", "decay_to of a cosine", "found 0,"});
  check_fails<ErrorCode::config>([] { RateSchedule{.final = 2}.check(); }, {"RateSchedule", "final", "2"});
}

TEST_CASE("a pattern matches a name where its text does, * standing for any") {
  CHECK(matches("*", ""));
  CHECK(matches("*", "down0.0.conv0.weight"));
  CHECK(matches("down*.weight", "down0.0.conv0.weight"));
  CHECK(matches("*conv?*", "a.conv?.b"));
  CHECK(matches("*a*b*c", "xaxbxabxc"));
  CHECK(matches("out", "out"));
  CHECK_FALSE(matches("out", "out.weight"));
  CHECK_FALSE(matches("*.bias", "out.weight"));
  CHECK_FALSE(matches("", "x"));
}
