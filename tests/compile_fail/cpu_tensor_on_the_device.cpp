// SHOULD_FAIL: the operands must live in one backend
// SPDX-License-Identifier: MIT
#include <consistency/cuda.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
using Weight = cm::Tensor<float>;
#else
using Weight = cm::Tensor<float, cm::Cuda>;
#endif

cm::Tensor<float, cm::Cuda> product(cm::Tensor<float, cm::Cuda> const& x, Weight const& w) {
  return cm::linear(x, w);
}
