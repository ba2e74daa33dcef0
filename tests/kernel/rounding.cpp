// SPDX-License-Identifier: MIT
#include "../support/rounding.hpp"

#include <array>

#include <doctest/doctest.h>

#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/reference.hpp>

#include "../tensor/support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// The CPU's result where each sum has lost the term that `lose` takes from the operands, against the whole
/// sums, in units of what is allowed.
template <class Op, std::size_t N>
double noticed(Case<Op, N> const& c, auto const& lose) {
  auto x = operands<float>(c);
  std::array<Tensor<double, Reference>, N> whole;
  for (std::size_t k = 0; k < N; ++k) whole[k] = convert<double, Reference>(x[k]);
  auto const allowed = rounding_error<float>(c.op, c.shapes);
  CHECK(relative_error(compute(c.op, x), compute(c.op, whole)) <= allowed);
  lose(x[0]);
  return relative_error(compute(c.op, x), compute(c.op, whole)) / allowed;
}

}  // namespace

TEST_CASE("a term that long sums lose is far beyond what the model of rounding allows") {
  for (Index const n : {513, 4096, 65536}) {
    CAPTURE(n);
    auto const last = [n](Tensor<float>& x) {
      for (Index row = 0; row < x.shape()[0]; ++row) x.mutable_data()[row * n + n - 1] = 0;
    };
    // Terms of both signs, and terms of one, among which a lost one is least.
    CHECK(noticed(make_case(op::Linear{}, Shape{5, n}, Shape{n, 7}), last) > 1000);
    CHECK(noticed(Case<op::SumTo, 1>{{Shape{5, 1}}, {Shape{5, n}}, 0.5, 1.5}, last) > 5);
  }
}
