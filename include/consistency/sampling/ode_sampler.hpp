// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <consistency/sampling/sampler.hpp>
#include <consistency/sampling/sampling_times.hpp>
#include <consistency/solver/ddim.hpp>
#include <consistency/solver/euler.hpp>
#include <consistency/solver/heun.hpp>
#include <consistency/solver/velocity.hpp>

namespace consistency {

/// Samples a denoiser D(x, t) by solving the probability-flow ODE from T down, with noise added before a step
/// where `churn` asks for it (Karras et al. 2022, Algorithms 1 and 2). With Euler and to_zero = false it is
/// the sampler of progressive distillation.
template <OdeSolver Solver = Heun>
struct OdeSampler {
  static constexpr Kind kind = Kind::denoiser;
  Index steps = 18;
  double churn = 0;                                                           ///< S_churn; 0: deterministic
  double churn_min = 0, churn_max = std::numeric_limits<double>::infinity();  ///< S_tmin, S_tmax
  double churn_noise = 1;                                                     ///< S_noise
  bool to_zero = true;  ///< the last step goes from ε to 0, where x is D(x, ε); false: the last ends at ε
  Solver solver{};

  SamplingTimes times() const { return {steps, to_zero}; }

  /// Throws config_error for fewer than 1 step, more than are counted, or noise that is negative or not
  /// finite.
  void check(NoiseProcess auto const& process) const {
    times().check("OdeSampler", process);
    require_setting(churn >= 0, "OdeSampler", "churn", churn, "0 or more");
    require_setting(churn_noise >= 0 && std::isfinite(churn_noise), "OdeSampler", "churn_noise", churn_noise,
                    "0 or more, finite");
  }

  template <class X>
  X operator()(auto const& denoiser, NoiseProcess auto const& process, X const& z, Key key,
               std::uint32_t first) const {
    check(process);
    auto const v = DenoiserVelocity{process, denoiser};
    constexpr auto to_zero_by_solver = requires { requires Solver::reaches_zero; };
    X x = process.prior(z);  // (n, …)
    for (Index i = 0; i < steps; ++i) {
      auto t = times()(process, i);
      auto const s = times()(process, i + 1);
      auto const gamma = t >= churn_min && t <= churn_max && std::isfinite(process.sigma(t))
                             ? std::min(churn / static_cast<double>(steps), std::sqrt(2.0) - 1)
                             : 0.0;
      if (gamma > 0) {
        auto const noise = normal<X>(z.shape(), key, {static_cast<std::uint32_t>(i + 1), first});  // (n, …)
        auto const noisier = process.time(process.sigma(t) * (1 + gamma));
        x = process.renoise(x, churn_noise * noise, t, noisier);  // (n, …)
        t = noisier;
      }
      auto const from = detail::time_column(x, t), to = detail::time_column(x, s);  // (n, 1, …)
      x = s > 0 || to_zero_by_solver
              ? solver.step(v, x, from, to)
              : X{DataStep<std::remove_cvref_t<decltype(process)>>{}.step(v, x, from, to)};  // (n, …)
    }
    return x;
  }
};
static_assert(Sampler<OdeSampler<>>);

}  // namespace consistency
