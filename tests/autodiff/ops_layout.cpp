// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "derivatives.hpp"
#include "op_table.hpp"

using namespace consistency::test;

TEST_CASE("the forward derivative of every layout operation agrees with the complex step") {
  for_each_row<Group::layout>(check::Forward{});
}

TEST_CASE("the gradient of every layout operation agrees with the complex step") {
  for_each_row<Group::layout>(check::Reverse{});
}

TEST_CASE("forward and reverse derivatives of every layout operation are adjoint") {
  for_each_row<Group::layout>(check::DotProduct<double>{});
}

TEST_CASE("forward and reverse derivatives of every layout operation are adjoint in float") {
  for_each_row<Group::layout>(check::DotProduct<float>{});
}

TEST_CASE("the gradient of the forward derivative of every layout operation agrees with differences") {
  for_each_row<Group::layout>(check::ReverseOverForward{});
}

TEST_CASE("the derivatives of every layout operation are linear and leave the result as it was") {
  for_each_row<Group::layout>(check::Identities{});
}
