// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "derivatives.hpp"
#include "op_table.hpp"

using namespace consistency::test;

TEST_CASE("the forward derivative of every function of two operands agrees with the complex step") {
  for_each_function<2>(check::Forward{});
}

TEST_CASE("the gradient of every function of two operands agrees with the complex step") {
  for_each_function<2>(check::Reverse{});
}

TEST_CASE("forward and reverse derivatives of every function of two operands are adjoint") {
  for_each_function<2>(check::DotProduct<double>{});
}

TEST_CASE("forward and reverse derivatives of every function of two operands are adjoint in float") {
  for_each_function<2>(check::DotProduct<float>{});
}

TEST_CASE(
    "the gradient of the forward derivative of every function of two operands agrees with differences") {
  for_each_function<2>(check::ReverseOverForward{});
}

TEST_CASE("the derivatives of every function of two operands are linear and leave the result as it was") {
  for_each_function<2>(check::Identities{});
}
