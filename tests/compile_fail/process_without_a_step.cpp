// SHOULD_FAIL: the process must be a NoiseProcess
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

#ifdef SHOULD_FAIL
struct Process {
  cm::TimeRange range() const { return {0, 1}; }
};
#else
using Process = cm::LinearPath;
#endif
cm::ConsistencyFunction<cm::Mlp, cm::VelocityPreconditioning, Process> const f{cm::Mlp{}};
