// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <consistency/sampling/sampler.hpp>
#include <consistency/sampling/sampling_times.hpp>

namespace consistency {

/// Samples a flow map in `steps` jumps X_{t→r} from T down to ε. Where γ > 0 each jump goes to a lower noise
/// level than the next time's, √(1 − γ²) σ(r), and noise brings it up to that (Kim et al. 2023):
/// γ = 1 denoises to ε each time, as Multistep does.
struct FlowMapSampler {
  static constexpr Kind kind = Kind::flow_map;
  Index steps = 1;
  double gamma = 0;  ///< γ, from 0 (no noise) to 1

  SamplingTimes times() const { return {steps, false}; }
  /// Throws config_error for fewer than 1 step, more than are counted, or γ outside [0, 1].
  void check(NoiseProcess auto const& process) const {
    times().check("FlowMapSampler", process);
    require_setting(gamma >= 0 && gamma <= 1, "FlowMapSampler", "gamma", gamma, "from 0 to 1");
  }

  template <class X>
  X operator()(auto const& flow_map, NoiseProcess auto const& process, X const& z, Key key,
               std::uint32_t first) const {
    check(process);
    auto const epsilon = process.range().smallest;
    X x = process.prior(z);  // (n, …)
    for (Index i = 0; i < steps; ++i) {
      auto const t = times()(process, i), r = times()(process, i + 1);
      auto const noisy = gamma > 0 && i + 1 < steps;
      auto const down =
          noisy ? std::max(epsilon, process.time(std::sqrt(1 - gamma * gamma) * process.sigma(r))) : r;
      x = flow_map(x, detail::time_column(x, t), detail::time_column(x, down));  // (n, …)
      if (!noisy) continue;
      auto const noise = normal<X>(z.shape(), key, {static_cast<std::uint32_t>(i + 1), first});  // (n, …)
      x = process.renoise(x, noise, down, r);                                                    // (n, …)
    }
    return x;
  }
};
static_assert(Sampler<FlowMapSampler>);

}  // namespace consistency
