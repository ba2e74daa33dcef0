// SHOULD_FAIL: the student must be a FlowMap
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
cm::ConsistencyFunction const f{cm::Mlp{}};
#else
cm::FlowMap const f{cm::Mlp{{.condition = {.second_time = cm::SecondTime::gap}}}};
#endif
cm::ProgressiveSelfDistillation const method{.f = f};
