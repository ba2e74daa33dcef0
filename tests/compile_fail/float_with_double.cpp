// SHOULD_FAIL: float and double do not mix
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
using Times = cm::Tensor<double>;
#else
using Times = cm::Tensor<float>;
#endif

cm::Tensor<float> noised(cm::Tensor<float> const& x, Times const& t) { return x * t; }
