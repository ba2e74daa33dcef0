// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "derivatives.hpp"
#include "op_table.hpp"

using namespace consistency::test;

TEST_CASE("the forward derivative of every function of one operand agrees with the complex step") {
  for_each_function<1>(check::Forward{});
}

TEST_CASE("the gradient of every function of one operand agrees with the complex step") {
  for_each_function<1>(check::Reverse{});
}

TEST_CASE("forward and reverse derivatives of every function of one operand are adjoint") {
  for_each_function<1>(check::DotProduct<double>{});
}

TEST_CASE("forward and reverse derivatives of every function of one operand are adjoint in float") {
  for_each_function<1>(check::DotProduct<float>{});
}

TEST_CASE("the gradient of the forward derivative of every function of one operand agrees with differences") {
  for_each_function<1>(check::ReverseOverForward{});
}

TEST_CASE("the derivatives of every function of one operand are linear and leave the result as it was") {
  for_each_function<1>(check::Identities{});
}
