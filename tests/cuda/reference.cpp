// SPDX-License-Identifier: MIT
#include <consistency/tensor/cuda.hpp>

#include "../kernel/agreement.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE_TEMPLATE("every operation on the device agrees with the reference", S, float, double) {
  NEEDS_DEVICE();
  for_each_type(AllOps{}, []<class Op>() { agrees_with_reference<Tensor<S, Cuda>, Op>(); });
}

TEST_CASE_TEMPLATE("every element-wise function on the device agrees with the reference", S, float, double) {
  NEEDS_DEVICE();
  for_each_type(AllPointwise{},
                []<class F>() { agrees_with_reference<Tensor<S, Cuda>, pointwise_op_t<F>>(); });
}
