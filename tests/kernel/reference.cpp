// SPDX-License-Identifier: MIT
#include <consistency/tensor/cpu.hpp>

#include "agreement.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE_TEMPLATE("every operation on the CPU agrees with the reference", S, float, double) {
  for_each_type(AllOps{}, []<class Op>() { agrees_with_reference<Tensor<S>, Op>(); });
}
