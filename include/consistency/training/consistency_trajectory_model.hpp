// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

#include <consistency/metric/l2.hpp>
#include <consistency/schedule/grid_spans.hpp>
#include <consistency/solver/heun.hpp>
#include <consistency/target/ema_target.hpp>
#include <consistency/training/flow_map_objective.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// CTM (Kim et al. 2023, Section 3) without its GAN: X_{t→r}(x_t) is compared with the same jump from q,
/// where the solver has come from t along the teacher's ODE, both after θ⁻'s jump from r to ε (Eq. 10); and
/// `denoising` times the denoiser on the map's diagonal with the data (Eq. 12).
template <class F, class Source, class Solver = Heun, class D = L2, class T = GridSpans,
          class W = UniformWeighting, class Target = EmaTarget>
struct ConsistencyTrajectoryModel {
  static_assert(flow_map::common_policies<F, Source, D, T, W, Target>());
  static_assert(OdeSolver<Solver>, "the solver must be an OdeSolver: order, and step(v, x, t, s) to s < t");
  static constexpr bool has_target = Target::has_target;
  F f;
  Source velocity;
  Solver solver{};
  D metric{};
  T times{};
  W weighting{};
  Target target{.mu = 0.999};
  double denoising = 1;  ///< λ

  void check() const {
    flow_map::check(*this);
    require_setting(denoising >= 0, "ConsistencyTrajectoryModel", "denoising", denoising, "0 or more");
  }
  double resolution(Index) const { return 0; }
  double rate(Index) const { return target.rate(0); }
  template <class X>
  auto draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return flow_map::draw(*this, x0, k, key, first);
  }
  /// The term of each sample, (n, 1, …).
  template <class X>
  auto distance(auto const& theta, Parameters<X> const& theta_minus,
                std::type_identity_t<Batch<X>> const& batch, flow_map::Drawn<X> const& drawn) const {
    auto const& map = with_condition(f, batch.condition);
    auto const process = process_of(f);
    auto const& mode = drawn.mode;
    auto const& [t, q, r, diagonal] = drawn.times;                                              // (n, 1, …)
    X const x_t = process.point(batch.x0, drawn.z, t);                                          // (n, …)
    X const x_q = solver.step(velocity.given(process, batch), x_t, t, q);                       // (n, …)
    X const y = map(theta_minus, X(map(theta_minus, x_q, q, r, mode)), r, mode);                // (n, …)
    auto const x = map(theta_minus, map(theta, x_t, t, r, mode), r, mode);                      // (n, …)
    auto const v = identity::velocity(map, theta, x_t, t, mode);                                // (n, …)
    auto const denoised = evaluated(process.denoised(x_t, v, t));                               // (n, …)
    return evaluated(weighting(t, r) * (metric(x, y) + denoising * L2{}(denoised, batch.x0)));  // (n, 1, …)
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
