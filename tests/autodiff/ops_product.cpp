// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "derivatives.hpp"
#include "op_table.hpp"

using namespace consistency::test;

TEST_CASE("the forward derivative of every product agrees with the complex step") {
  for_each_row<Group::product>(check::Forward{});
}

TEST_CASE("the gradient of every product agrees with the complex step") {
  for_each_row<Group::product>(check::Reverse{});
}

TEST_CASE("forward and reverse derivatives of every product are adjoint") {
  for_each_row<Group::product>(check::DotProduct<double>{});
}

TEST_CASE("forward and reverse derivatives of every product are adjoint in float") {
  for_each_row<Group::product>(check::DotProduct<float>{});
}

TEST_CASE("the gradient of the forward derivative of every product agrees with differences") {
  for_each_row<Group::product>(check::ReverseOverForward{});
}

TEST_CASE("the derivatives of every product are linear and leave the result as it was") {
  for_each_row<Group::product>(check::Identities{});
}
