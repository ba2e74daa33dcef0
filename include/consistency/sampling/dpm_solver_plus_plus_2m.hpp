// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstdint>

#include <consistency/sampling/sampler.hpp>
#include <consistency/sampling/sampling_times.hpp>

namespace consistency {

/// DPM-Solver++(2M) (Lu et al. 2022b, Algorithm 2): the exact step of the process for data that are carried
/// on in λ = −ln σ from this evaluation of the denoiser and the one before. Second order with one evaluation
/// a step; the first step, and one to 0, take this evaluation alone.
struct DpmSolverPlusPlus2M {
  static constexpr Kind kind = Kind::denoiser;
  Index steps = 18;
  bool to_zero = true;  ///< as in OdeSampler

  SamplingTimes times() const { return {steps, to_zero}; }
  /// Throws config_error for fewer than 1 step or more than are counted.
  void check(NoiseProcess auto const& process) const { times().check("DpmSolverPlusPlus2M", process); }

  template <class X>
  X operator()(auto const& denoiser, NoiseProcess auto const& process, X const& z, Key, std::uint32_t) const {
    check(process);
    X x = process.prior(z);  // (n, …)
    X before;                // (n, …): D of the step before
    double h_before = 0;
    for (Index i = 0; i < steps; ++i) {
      auto const t = times()(process, i), s = times()(process, i + 1);
      auto const h = std::log(process.sigma(t) / process.sigma(s));               // of λ; infinite to 0
      auto const carried = i > 0 && std::isfinite(h) ? h / (2 * h_before) : 0.0;  // 1 / (2 r)
      auto const from = detail::time_column(x, t);                                // (n, 1, …)
      X const D = denoiser(x, from);                                              // (n, …)
      X const ahead = carried > 0 ? X((1 + carried) * D - carried * before) : D;  // (n, …)
      x = process.step(x, ahead, from, detail::time_column(x, s));                // (n, …)
      before = D;
      h_before = h;
    }
    return x;
  }
};
static_assert(Sampler<DpmSolverPlusPlus2M>);

}  // namespace consistency
