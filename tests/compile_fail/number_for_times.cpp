// SHOULD_FAIL: t is a tensor of one time per sample
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

auto sample(cm::ConsistencyFunction<cm::Mlp> const& f, cm::Parameters<cm::Tensor<float>> const& theta,
            cm::Tensor<float> const& x) {
#ifdef SHOULD_FAIL
  return f(theta, x, 0.5F);
#else
  return f(theta, x, cm::Tensor<float>(x.shape().per_sample(), 0.5F));
#endif
}
