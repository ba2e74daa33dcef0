// SHOULD_FAIL: this identity is one of average velocities
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
cm::FlowMap const f{cm::Mlp{{.condition = {.second_time = cm::SecondTime::gap}}}, cm::Trigonometric{}};
#else
cm::FlowMap const f{cm::Mlp{{.condition = {.second_time = cm::SecondTime::gap}}}};
#endif
cm::ProgressiveSelfDistillation const method{.f = f};
