// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <consistency/sampling/sampler.hpp>
#include <consistency/sampling/sampling_times.hpp>

namespace consistency {

/// Ancestral sampling of a denoiser: every step goes to a lower noise level than the next, σ_down, and adds
/// noise up to it (Song, Meng & Ermon 2021, Eq. 16, as samplers of noise levels write it):
/// σ_up = η σ′ √(1 − σ′² / σ²), σ_down² = σ′² − σ_up². η = 0 is OdeSampler<Ddim>.
struct EulerAncestral {
  static constexpr Kind kind = Kind::denoiser;
  Index steps = 40;
  double eta = 1;       ///< η, from 0 (no noise) to 1
  bool to_zero = true;  ///< as in OdeSampler

  SamplingTimes times() const { return {steps, to_zero}; }
  /// Throws config_error for fewer than 1 step, more than are counted, or η outside [0, 1].
  void check(NoiseProcess auto const& process) const {
    times().check("EulerAncestral", process);
    require_setting(eta >= 0 && eta <= 1, "EulerAncestral", "eta", eta, "from 0 to 1");
  }

  template <class X>
  X operator()(auto const& denoiser, NoiseProcess auto const& process, X const& z, Key key,
               std::uint32_t first) const {
    check(process);
    X x = process.prior(z);  // (n, …)
    for (Index i = 0; i < steps; ++i) {
      auto const t = times()(process, i), s = times()(process, i + 1);
      auto const sigma = process.sigma(s), ratio = sigma / process.sigma(t);
      auto const up = eta * sigma * std::sqrt(1 - ratio * ratio);
      auto const down = process.time(std::sqrt(std::max(0.0, sigma * sigma - up * up)));
      auto const from = detail::time_column(x, t);                 // (n, 1, …)
      X const D = denoiser(x, from);                               // (n, …)
      x = process.step(x, D, from, detail::time_column(x, down));  // (n, …)
      if (up > 0) {
        auto const noise = normal<X>(z.shape(), key, {static_cast<std::uint32_t>(i + 1), first});  // (n, …)
        x = process.renoise(x, noise, down, s);                                                    // (n, …)
      }
    }
    return x;
  }
};
static_assert(Sampler<EulerAncestral>);

}  // namespace consistency
