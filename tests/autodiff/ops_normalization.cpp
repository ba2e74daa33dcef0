// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "derivatives.hpp"
#include "op_table.hpp"

using namespace consistency::test;

TEST_CASE("the forward derivative of every normalization agrees with the complex step") {
  for_each_row<Group::normalization>(check::Forward{});
}

TEST_CASE("the gradient of every normalization agrees with the complex step") {
  for_each_row<Group::normalization>(check::Reverse{});
}

TEST_CASE("forward and reverse derivatives of every normalization are adjoint") {
  for_each_row<Group::normalization>(check::DotProduct<double>{});
}

TEST_CASE("forward and reverse derivatives of every normalization are adjoint in float") {
  for_each_row<Group::normalization>(check::DotProduct<float>{});
}

TEST_CASE("the gradient of the forward derivative of every normalization agrees with differences") {
  for_each_row<Group::normalization>(check::ReverseOverForward{});
}

TEST_CASE("the derivatives of every normalization are linear and leave the result as it was") {
  for_each_row<Group::normalization>(check::Identities{});
}
