// SHOULD_FAIL: the solver must be an OdeSolver
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

struct Still {
#ifndef SHOULD_FAIL
  static constexpr int order = 1;
#endif
  template <cm::Value X>
  X step(auto const&, X const& x, cm::Value auto const&, cm::Value auto const&) const {
    return x;
  }
};

cm::ConsistencyFunction const f{cm::Mlp{}};
cm::Denoiser const D{cm::Mlp{}};
cm::ConsistencyDistillation const method{
    .f = f, .velocity = cm::TeacherVelocity{D, D.initialize(cm::Key{1})}, .solver = Still{}};
