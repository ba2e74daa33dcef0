// SHOULD_FAIL: the weighting belongs to another noise process
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

cm::Denoiser const D{cm::Mlp{}, cm::LinearPath{}};
#ifdef SHOULD_FAIL
cm::DenoiserTraining const method{.f = D};
#else
cm::DenoiserTraining const method{.f = D, .weighting = cm::UniformWeighting{}};
#endif
