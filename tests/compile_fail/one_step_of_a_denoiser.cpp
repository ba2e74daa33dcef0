// SHOULD_FAIL: a Denoiser by OdeSampler
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

cm::Denoiser const D{cm::Mlp{}};
#ifdef SHOULD_FAIL
using Sampler = cm::OneStep;
#else
using Sampler = cm::OdeSampler<>;
#endif
auto draw(cm::Parameters<cm::Tensor<float>> const& phi) { return cm::sample(D, phi, Sampler{}); }
