// SPDX-License-Identifier: MIT
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/network/prepared_parameters.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float>;

Parameters<X> some() {
  ParameterTable table;
  table.add("weight", {3, 5}, Initializer::variance(3));
  table.add("bias", {5}, Initializer::ones());
  return Parameters<X>::initialized(table, {1});
}

/// A form of the first parameter, the numbers of which say how many were made before.
X form(Parameters<X> const& theta, int& made) {
  return theta[0].prepared_form(7, [&] { return X(Shape{1}, static_cast<float>(made++)); });
}

}  // namespace

TEST_CASE("parameters that are not prepared keep no forms") {
  auto const theta = some();
  int made = 0;
  CHECK_FALSE(form(theta, made).defined());
  CHECK(made == 0);
}

TEST_CASE("a form of prepared parameters is made once, also for copies, and goes with the last of them") {
  int made = 0;
  X kept;
  {
    auto const prepared = PreparedParameters<X>{some()};
    kept = form(prepared.parameters(), made);
    CHECK_FALSE(kept.unique());
    {
      auto copy = prepared;
      CHECK(form(copy.parameters(), made).data() == kept.data());
      auto const moved = std::move(copy);
      CHECK(form(moved.parameters(), made).data() == kept.data());
    }
    CHECK(form(prepared.parameters(), made).data() == kept.data());
    CHECK(made == 1);
    CHECK_FALSE(kept.unique());
  }
  CHECK(kept.unique());
}

TEST_CASE("forms are told apart by their number and by the parameter") {
  auto const prepared = PreparedParameters<X>{some()};
  auto const of = [&](ParameterId id, int which) {
    return prepared.parameters()[id].prepared_form(which, [] { return X{Shape{1}}; }).data();
  };
  CHECK(of(0, 0) == of(0, 0));
  CHECK(of(0, 0) != of(0, 1));
  CHECK(of(0, 0) != of(1, 0));
}

TEST_CASE("prepared parameters have the numbers that they were made of, theirs alone or shared") {
  auto theta = some();
  auto const own = PreparedParameters<X>{theta};
  CHECK(same_bits(own.parameters().flat(), theta.flat()));
  CHECK(own.parameters().flat().data() != theta.flat().data());
  CHECK(own.parameters()[1].data() == own.parameters().flat().data() + 16);
  CHECK(own.parameters().table().same_meaning(theta.table()));
  int made = 0;
  {
    auto const shared = PreparedParameters<X>::sharing(theta);
    CHECK(shared.parameters()[0].data() == theta[0].data());
    CHECK(form(shared.parameters(), made).defined());
    CHECK_FALSE(form(theta, made).defined());
  }
  theta.flat().fill(2);
  {
    auto const shared = PreparedParameters<X>::sharing(theta);
    CHECK(form(shared.parameters(), made)[0] == 1.0F);  // made anew
    CHECK(shared.parameters()[0][0] == 2.0F);
  }
  auto const* const numbers = theta.flat().data();
  auto const taken = PreparedParameters<X>{std::move(theta)};
  CHECK(taken.parameters().flat().data() == numbers);
}

TEST_CASE("a copy of the parameters within has numbers of its own, and is not prepared") {
  auto const prepared = PreparedParameters<X>{some()};
  auto copy = prepared.parameters();
  copy.flat().fill(0);
  CHECK(same_bits(prepared.parameters().flat(), some().flat()));
  int made = 0;
  CHECK_FALSE(form(copy, made).defined());
}

TEST_CASE("a view outlives the prepared parameters, with its numbers") {
  X view;
  {
    auto const prepared = PreparedParameters<X>{some()};
    view = prepared.parameters()[0];
    CHECK_FALSE(view.unique());
  }
  CHECK(same_bits(view, some()[0]));
  CHECK_FALSE(view.unique());  // its numbers are another tensor's: nobody writes in place
}

TEST_CASE("threads that ask for one form at the same time are given the same") {
  auto const prepared = PreparedParameters<X>{some()};
  std::vector<X> found(4);
  std::vector<std::thread> threads;
  for (auto& to : found)
    threads.emplace_back([&to, &prepared] {
      for (int which = 0; which < 100; ++which)
        to = prepared.parameters()[0].prepared_form(which, [] { return X{Shape{64}}; });
    });
  for (auto& thread : threads) thread.join();
  for (auto const& x : found) CHECK(x.data() == found[0].data());
}

TEST_CASE("products and their gradients are the same with prepared weights, in either order") {
  for (Index const columns : {1, 2, 40}) {
    CAPTURE(columns);
    X const x = normal<float>({7, 20}, Key{1}), g = normal<float>({7, columns}, Key{2});
    X const w = normal<float>({20, columns}, Key{3});
    X const y = linear(x, w);
    auto const op = op::Linear{};
    auto const gradient = [&](X const& weight) {
      return Kernel<op::Linear, Cpu>::vjp(op, {true, false}, y, g, x, weight)[0];
    };
    for (auto const forward_first : {true, false}) {
      auto const prepared = w.prepared();
      if (forward_first) CHECK(same_bits(linear(x, prepared), y));
      CHECK(same_bits(gradient(prepared), gradient(w)));
      CHECK(same_bits(linear(x, prepared), y));
    }
  }
}
