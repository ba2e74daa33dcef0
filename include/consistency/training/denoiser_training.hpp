#pragma once

#include <array>
#include <utility>

#include <consistency/metric/l2.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/parameterization/edm_preconditioning.hpp>
#include <consistency/schedule/log_normal_law.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/method.hpp>
#include <consistency/weighting/edm_weighting.hpp>

namespace consistency {

/// Trains a denoiser, the teacher of distillation: minimises λ(σ) · d(D_θ(x + σ z, σ), x) with ln σ normal
/// (Karras et al. 2022, Section 5, Eq. 108).
template <class F, class L = LogNormalLaw, class D = L2, class W = EdmWeighting>
struct DenoiserTraining {
  static_assert(TimeLaw<L>, "DenoiserTraining: the law of the noise levels must be a TimeLaw");
  static_assert(Metric<D>,
                "DenoiserTraining: the metric must be a Metric: d(x, y) gives one distance per sample");

  static constexpr bool follows = false;
  F f;  ///< a denoiser: ConsistencyFunction with EdmPreconditioning
  L law;
  D metric;
  W weighting;
  KarrasGrid grid;  ///< its ends bound the noise levels

  explicit DenoiserTraining(F denoiser, L noise = karras_law(), D distance = {}, W weight = {},
                            KarrasGrid bounds = {})
      : f{std::move(denoiser)},
        law{std::move(noise)},
        metric{std::move(distance)},
        weighting{std::move(weight)},
        grid{bounds} {}

  /// ln σ ~ N(−1.2, 1.2²) (Karras et al. 2022, Table 1).
  static constexpr LogNormalLaw karras_law() { return {.mean = -1.2, .deviation = 1.2}; }

  void check() const {
    grid.check();
    check_settings(law);
    check_settings(metric);
  }
  double resolution(Index) const { return 0; }
  double rate(Index) const { return 0; }

  template <class X>
  auto loss(auto const& theta, Parameters<X> const&, X const& x0, Index k, Key key,
            std::uint32_t first = 0) const {
    auto const at = Counter{static_cast<std::uint32_t>(k), first};
    auto const [t] = draw_times<X, 1>(x0.shape(), at, [&](Counter sample) {
      return std::array{law.time(grid, key.with_stream(stream::times), sample)};
    });
    auto const z = normal<typename X::Scalar>(x0.shape(), key.with_stream(stream::noise), at);
    X const x_t = x0 + t * z;
    auto const D_x = f(theta, x_t, t, {.training = true, .key = key, .first = at});
    return mean(weighting(t) * metric(D_x, x0));
  }
};

}  // namespace consistency
