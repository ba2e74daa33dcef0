// SPDX-License-Identifier: MIT
#include <consistency/tensor/cuda.hpp>

#include "../kernel/agreement.hpp"
#include "device.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE_TEMPLATE("gradients of every operation on the device agree with the CPU's", S, float, double) {
  NEEDS_DEVICE();
  for_each_type(AllOps{}, []<class Op>() { gradients_agree_with_the_cpu<Tensor<S, Cuda>, Op>(); });
}

TEST_CASE_TEMPLATE("gradients of every element-wise function on the device agree with the CPU's", S, float,
                   double) {
  NEEDS_DEVICE();
  for_each_type(AllPointwise{},
                []<class F>() { gradients_agree_with_the_cpu<Tensor<S, Cuda>, pointwise_op_t<F>>(); });
}
