// SHOULD_FAIL: the second argument must be an Optimizer
// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>

namespace cm = consistency;

struct Own {
  static constexpr auto state_names = std::array<std::string_view, 0>{};
#ifndef SHOULD_FAIL
  template <class X>
  void update(cm::Update<X>& u) const {
    u.theta.assign(cm::evaluated(u.theta - 1e-3 * u.gradient));
  }
#endif
};
cm::ConsistencyFunction const f{cm::Mlp{}};
cm::Trainer trainer{cm::ConsistencyTraining{.f = f}, Own{}, f.initialize(cm::Key{1})};
