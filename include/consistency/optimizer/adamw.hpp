// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/optimizer/adam.hpp>

namespace consistency {

/// Adam with decoupled weight decay: θ ← (1 − learning rate · λ) θ before Adam's update (Loshchilov & Hutter
/// 2019, Algorithm 2). Groups{…} lets some parameters decay and others not.
struct AdamW {
  static constexpr auto state_names = moment_names;
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double decay = 0.01;  ///< λ
  RateSchedule schedule{};

  void check() const {
    adam().check();
    require_setting(decay >= 0 && learning_rate * decay < 1, "AdamW", "decay", decay,
                    "0 or more, below 1 / learning_rate");
  }
  MomentStep at(Index k) const { return adam().at(k); }

  template <class X>
  void update(Update<X>& u) const {
    if (decay > 0) u.theta.assign(evaluated((1 - learning_rate * schedule.factor(u.k) * decay) * u.theta));
    apply_moments(at(u.k), u);
  }
  std::string text() const { return adam().text() + ", decay " + number_text(decay); }

 private:
  Adam adam() const { return {learning_rate, beta1, beta2, epsilon, schedule}; }
};
static_assert(MomentOptimizer<AdamW>);

}  // namespace consistency
