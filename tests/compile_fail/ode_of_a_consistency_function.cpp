// SHOULD_FAIL: a ConsistencyFunction is drawn from by OneStep
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

cm::ConsistencyFunction const f{cm::Mlp{}};
#ifdef SHOULD_FAIL
using Sampler = cm::OdeSampler<>;
#else
using Sampler = cm::Multistep;
#endif
auto draw(cm::Parameters<cm::Tensor<float>> const& theta) { return cm::sample(f, theta, Sampler{}); }
