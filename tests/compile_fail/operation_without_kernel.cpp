// SHOULD_FAIL: this backend has no kernel of this operation
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

/// x, doubled.
struct Twice {};

template <>
struct cm::Kernel<Twice, cm::Cpu> {
#ifdef SHOULD_FAIL
  static cm::Tensor<float> value(cm::Tensor<float> const& x) { return x + x; }
#else
  static cm::Tensor<float> value(Twice const&, cm::Tensor<float> const& x) { return x + x; }
#endif
};

cm::Tensor<float> twice(cm::Tensor<float> const& x) { return cm::apply(Twice{}, x); }
