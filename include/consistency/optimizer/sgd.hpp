// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/optimizer/optimizer.hpp>
#include <consistency/optimizer/rate_schedule.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// Gradient descent with momentum: b ← μ b + g, θ ← θ − rate · b (Sutskever et al. 2013, in PyTorch's form).
struct Sgd {
  static constexpr auto state_names = std::array<std::string_view, 1>{"momentum"};
  double learning_rate = 1e-2;
  double momentum = 0.9;
  RateSchedule schedule{};

  void check() const {
    require_positive("Sgd", "learning_rate", learning_rate);
    require_rate("Sgd", "momentum", momentum);
    schedule.check();
  }
  template <class X>
  void update(Update<X>& u) const {
    auto& b = u.state[0];
    b.assign(evaluated(momentum * b + u.scale * u.gradient));
    u.theta.assign(evaluated(u.theta - (learning_rate * schedule.factor(u.k)) * b));
  }
  std::string text() const {
    return "Sgd{" + number_text(learning_rate) + ", " + number_text(momentum) + ", " + schedule.text() + "}";
  }
};
static_assert(Optimizer<Sgd>);

}  // namespace consistency
