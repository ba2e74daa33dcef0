// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/tensor/cpu/pointwise.hpp>
#include <consistency/tensor/moment_step.hpp>

namespace consistency::cpu {
inline namespace CONSISTENCY_INSTRUCTIONS {

/// One pass over the arenas of training: moments, θ and its averages.
template <class S>
void moment_update(MomentUpdate<Tensor<S, Cpu>> u) {
  using P = Pack<S>;
  auto const& step = u.step;
  auto const b1 = P(step.beta1);
  auto const b2 = P(step.beta2);
  auto const c1 = P(1 - step.beta1);
  auto const c2 = P(1 - step.beta2);
  auto const scale = P(u.gradient_scale);
  auto const rate = P(step.rate);
  auto const epsilon = P(step.epsilon);
  auto* const m_to = u.first_moment.mutable_data();
  auto* const v_to = u.second_moment.mutable_data();
  auto* const theta_to = u.theta.mutable_data();
  auto const averages_to =
      std::array{u.averages[0].values.mutable_data(), u.averages[1].values.mutable_data()};
  parallel_ranges(u.theta.count(), pointwise_grain, [&](Index begin, Index end) {
    for (auto i = begin; i < end; i += P::width) {
      auto const lanes = std::min(P::width, end - i);
      auto const part = [&](Tensor<S, Cpu> const& t) {
        return lanes == P::width ? P::load(t.data() + i) : P::load_part(t.data() + i, lanes);
      };
      auto const g = scale * part(u.gradient);
      auto const m1 = b1 * part(u.first_moment) + c1 * g;
      auto const v1 = b2 * part(u.second_moment) + c2 * (g * g);
      auto const moved = part(u.theta) - (step.adaptive ? rate * m1 / (sqrt(v1) + epsilon) : rate * m1);
      store(m1, m_to + i, lanes);
      store(v1, v_to + i, lanes);
      store(moved, theta_to + i, lanes);
      for (std::size_t a = 0; a < averages_to.size(); ++a)
        if (auto const& [values, mu] = u.averages[a]; values.defined())
          store(P(mu) * part(values) + P(1 - mu) * moved, averages_to[a] + i, lanes);
    }
  });
}

}  // namespace CONSISTENCY_INSTRUCTIONS
}  // namespace consistency::cpu
