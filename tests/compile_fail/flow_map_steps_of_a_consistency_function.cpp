// SHOULD_FAIL: a FlowMap by FlowMapSampler too
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
cm::ConsistencyFunction const f{cm::Mlp{}};
#else
cm::FlowMap const f{cm::Mlp{{.condition = {.second_time = cm::SecondTime::gap}}}};
#endif
auto const samples = cm::sample(f, f.initialize(cm::Key{1}), cm::FlowMapSampler{.steps = 2});
