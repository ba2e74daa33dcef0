// SPDX-License-Identifier: MIT
#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

ParameterTable small_table() {
  ParameterTable table;
  table.add("weight", {3, 5}, Initializer::variance(3));
  table.add("bias", {5}, Initializer::zeros());
  table.add("scale", {17}, Initializer::ones());
  return table;
}

}  // namespace

TEST_CASE("parameters lie one after the other, each on a cache line of its own") {
  auto const table = small_table();
  CHECK(table.count() == 15 + 5 + 17);
  CHECK(table.size() == 16 + 16 + 32);
  CHECK(table.entries()[0].offset == 0);
  CHECK(table.entries()[1].offset == 16);
  CHECK(table.entries()[2].offset == 32);
  for (auto const& entry : table.entries()) CHECK(entry.offset % 16 == 0);
}

TEST_CASE("a name that is taken is rejected by name") {
  auto table = small_table();
  check_fails<ErrorCode::config>([&] { table.add("bias", {1}, {}); }, {"ParameterTable", "bias", "unique"});
  CHECK(table.entries().size() == 3);
}

TEST_CASE("fresh parameters and arenas are zero") {
  auto const theta = Parameters<Tensor<float>>{small_table()};
  CHECK(theta.flat().shape() == Shape{64});
  for (auto const v : theta.flat().values()) CHECK(v == 0.0F);
}

TEST_CASE("a parameter is a view of the arena") {
  auto theta = Parameters<Tensor<float>>{small_table()};
  theta.flat().mutable_data()[16 + 2] = 4;
  CHECK(theta[1][2] == 4.0F);
  CHECK(theta[1].data() == theta.flat().data() + 16);
  CHECK(theta[0].shape() == Shape{3, 5});
}

TEST_CASE("a copy of parameters has numbers of its own, a move keeps them") {
  auto theta = Parameters<Tensor<float>>::initialized(small_table(), {1});
  auto copy = theta;
  CHECK(same_bits(copy.flat(), theta.flat()));
  auto const before = theta.flat().clone();
  copy.flat().fill(7);
  CHECK(copy[0][0] == 7.0F);
  CHECK(same_bits(theta.flat(), before));
  auto assigned = Parameters<Tensor<float>>{small_table()};
  assigned = copy;
  copy.flat().fill(8);
  CHECK(assigned[2][16] == 7.0F);
  auto const* const numbers = copy.flat().data();
  auto const moved = std::move(copy);
  CHECK(moved.flat().data() == numbers);
  CHECK(moved[0].data() == numbers);
}

TEST_CASE("a parameter is read and written by its name") {
  auto theta = Parameters<Tensor<float>>::initialized(small_table(), {1});
  auto const numbers = tensor<float>({5}, {1, 2, 3, 4, 5});
  theta.assign("bias", numbers);
  CHECK(same_bits(theta.at("bias"), numbers));
  CHECK(theta.flat()[16 + 4] == 5.0F);
  CHECK(theta.at("scale").data() == theta[2].data());
  auto const before = theta.flat().clone();
  check_fails<ErrorCode::config>([&] { theta.assign("biases", numbers); }, {"biases", "3 names"});
  check_fails<ErrorCode::config>([&] { theta.at("bias\n"); }, {"bias\\x0a"});
  check_fails<ErrorCode::shape>([&] { theta.assign("scale", numbers); }, {"scale", "(5)", "(17)"});
  CHECK(same_bits(theta.flat(), before));
}

TEST_CASE_TEMPLATE("initial parameters are a pure function of the key", S, float, double) {
  auto const draw = [](Key key) { return Parameters<Tensor<S>>::initialized(small_table(), key).flat(); };
  CHECK(same_bits(draw({1}), draw({1})));
  CHECK(same_bits(draw({1, 5}), draw({1, 6})));  // the stream is the library's own
  CHECK_FALSE(same_bits(draw({1}), draw({2})));
}

TEST_CASE("a parameter's draws do not depend on the parameters behind it") {
  auto longer = small_table();
  longer.add("more", {4, 4}, Initializer::variance(4));
  auto const a = Parameters<Tensor<float>>::initialized(small_table(), {1});
  auto const b = Parameters<Tensor<float>>::initialized(longer, {1});
  for (ParameterId id = 0; id < 3; ++id) CHECK(same_bits(a[id], b[id]));
}

TEST_CASE("parameters of one shape have draws of their own") {
  ParameterTable table;
  table.add("a", {8}, Initializer::variance(1));
  table.add("b", {8}, Initializer::variance(1));
  auto const theta = Parameters<Tensor<float>>::initialized(table, {1});
  CHECK_FALSE(same_bits(theta[0], theta[1]));
}

TEST_CASE("initial weights have the variance gain squared over fan-in, and gaps stay 0") {
  ParameterTable table;
  table.add("weight", {100, 333}, Initializer::variance(100, 1.4));
  table.add("bias", {3}, Initializer::zeros());
  table.add("scale", {3}, Initializer::ones());
  auto const theta = Parameters<Tensor<double>>::initialized(table, {3});
  auto const n = static_cast<double>(theta[0].count());
  Tensor<double> const mean_of = mean(theta[0]);
  Tensor<double> const square_of = mean(square(theta[0]));
  auto const variance = 1.4 * 1.4 / 100;
  CHECK(std::abs(mean_of[0]) < 5 * std::sqrt(variance / n));
  CHECK(std::abs(square_of[0] / variance - 1) < 5 * std::sqrt(2 / n));
  CHECK(same_bits(theta[1], Tensor<double>(Shape{3}, 0.0)));
  CHECK(same_bits(theta[2], Tensor<double>(Shape{3}, 1.0)));
  for (ParameterId id = 0; id < 3; ++id) {
    auto const& entry = table.entries()[id];
    auto const end = id + 1 < 3 ? table.entries()[id + 1].offset : table.size();
    for (auto i = entry.offset + entry.shape.count(); i < end; ++i) CHECK(theta.flat()[i] == 0.0);
  }
}

TEST_CASE("watched parameters add their gradients up in an arena") {
  using T = Tensor<double>;
  auto const theta = Parameters<T>::initialized(small_table(), {4});
  auto const gradient = Parameters<T>{small_table()};
  auto const x = normal<double>({6, 3}, {5});
  Tape<T> tape;
  Parameters<Variable<T>> watched;
  for (int twice = 0; twice < 2; ++twice) {
    tape.clear();
    watched.watch(tape, theta, gradient);
    tape.backward(sum(linear(x, watched[0], watched[1])));
  }
  for (Index i = 0; i < 5; ++i) CHECK(gradient[1][i] == 12.0);
  for (Index i = 0; i < 3; ++i) {
    double column = 0;
    for (Index n = 0; n < 6; ++n) column += x[3 * n + i];
    CHECK(gradient[0][5 * i + 2] == doctest::Approx(2 * column).epsilon(1e-13));
  }
  CHECK(magnitude(gradient[2]) == 0);
}
