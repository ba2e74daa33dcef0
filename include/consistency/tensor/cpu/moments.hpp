#pragma once

#include <array>

#include <consistency/tensor/cpu/pointwise.hpp>
#include <consistency/tensor/moment_step.hpp>

namespace consistency {

/// One pass over the arenas of training: moments, θ, and the averages a ← μ a + (1 − μ) θ. Gradients are
/// multiplied by `gradient_scale` first. An undefined average is skipped.
template <class S>
void moment_update(MomentStep const& step, double gradient_scale, Tensor<S, Cpu> const& gradient,
                   Tensor<S, Cpu>& m, Tensor<S, Cpu>& v, Tensor<S, Cpu>& theta,
                   std::array<Tensor<S, Cpu>, 2> averages, std::array<double, 2> mu) {
  using P = Pack<S>;
  auto const b1 = P(step.beta1);
  auto const b2 = P(step.beta2);
  auto const c1 = P(1 - step.beta1);
  auto const c2 = P(1 - step.beta2);
  auto const scale = P(gradient_scale);
  auto const rate = P(step.rate);
  auto const epsilon = P(step.epsilon);
  auto* const m_to = m.mutable_data();
  auto* const v_to = v.mutable_data();
  auto* const theta_to = theta.mutable_data();
  auto const averages_to = std::array{averages[0].mutable_data(), averages[1].mutable_data()};
  parallel_ranges(theta.count(), cpu::pointwise_grain, [&](Index begin, Index end) {
    for (auto i = begin; i < end; i += P::width) {
      auto const lanes = std::min(P::width, end - i);
      auto const part = [&](Tensor<S, Cpu> const& t) {
        return lanes == P::width ? P::load(t.data() + i) : P::load_part(t.data() + i, lanes);
      };
      auto const g = scale * part(gradient);
      auto const m1 = b1 * part(m) + c1 * g;
      auto const v1 = b2 * part(v) + c2 * (g * g);
      auto const moved = part(theta) - (step.adaptive ? rate * m1 / (sqrt(v1) + epsilon) : rate * m1);
      cpu::store(m1, m_to + i, lanes);
      cpu::store(v1, v_to + i, lanes);
      cpu::store(moved, theta_to + i, lanes);
      for (std::size_t a = 0; a < averages.size(); ++a)
        if (averages[a].defined())
          cpu::store(P(mu[a]) * part(averages[a]) + P(1 - mu[a]) * moved, averages_to[a] + i, lanes);
    }
  });
}

}  // namespace consistency
