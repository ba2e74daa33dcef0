// SHOULD_FAIL: trains a function of one: give it ConsistencyFunction
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

cm::Mlp const net{{.dimensions = 2}};
#ifdef SHOULD_FAIL
cm::Mlp const& f = net;
#else
cm::ConsistencyFunction const f{net};
#endif
using Method = decltype(cm::ConsistencyTraining{.f = f});
auto train(Method const& method, cm::Parameters<cm::Tensor<float>> const& theta) {
  return cm::Trainer{method, cm::Adam{}, theta};
}
