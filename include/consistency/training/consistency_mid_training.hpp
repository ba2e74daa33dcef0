// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include <consistency/core/check.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/schedule/karras.hpp>
#include <consistency/solver/heun.hpp>
#include <consistency/training/consistency_distillation.hpp>
#include <consistency/weighting/uniform_weighting.hpp>

namespace consistency {

/// CMT, consistency mid-training (Hu et al. 2025): a stage between a teacher and a consistency method. The
/// teacher's ODE is solved from noise to ε, and f at each point of that path is compared with its end. Of
/// data it takes shape and condition alone. A FlowMap is trained at r = ε. The authors' solver is
/// DPM-Solver++ of two steps, whose second order Heun has too.
template <class F, class Source, class Solver = Heun, class D = L2, class W = UniformWeighting>
struct ConsistencyMidTraining {
  static_assert(may_be<F, Kind::consistency_function> || may_be<F, Kind::flow_map>,
                "ConsistencyMidTraining: the student must be a ConsistencyFunction or a FlowMap; a Denoiser "
                "is neither");
  static_assert(Teacher<Source>,
                "ConsistencyMidTraining needs a teacher: .velocity = TeacherVelocity{denoiser, phi}");
  static_assert(OdeSolver<Solver>, "the solver must be an OdeSolver: order, and step(v, x, t, s) to s < t");
  static_assert(Metric<D>,
                "the metric must be a Metric: d(x, y) gives one distance per sample, (n, 1, ..., 1)");
  static_assert(Weighting<W, 2>, "the weighting must take two times, w(t, r); r is epsilon");
  static constexpr bool has_target = false;
  static constexpr Index most_steps = 64;
  F f;
  Source velocity;
  Solver solver{};
  D metric{};
  W weighting{};
  Index steps = 16;  ///< of the solver: points of a path with a prediction

  void check() const {
    check_settings(metric);
    check_settings(weighting);
    require_within("ConsistencyMidTraining", "steps", steps, 1, most_steps);
    auto const grid = grid_of(process_of(f));
    grid.check();
    grid.require_apart("ConsistencyMidTraining", steps + 1);
    if constexpr (requires { velocity.check_student(f); }) velocity.check_student(f);
  }
  double resolution(Index) const { return static_cast<double>(steps + 1); }
  double rate(Index) const { return 0; }
  /// Noise, where the path begins.
  template <class X>
  Draws<X, 0> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    return draw_for<0>(x0, k, key, first, [](Key, Counter) { return std::array<double, 0>{}; });
  }
  /// The term of each sample, (n, 1, …), the mean over the points of its path.
  template <class X>
  auto distance(auto const& theta, Parameters<X> const&, std::type_identity_t<Batch<X>> const& batch,
                Draws<X, 0> const& drawn) const {
    auto const& f_given = with_condition(f, batch.condition);
    auto const process = process_of(f);
    auto const v = velocity.given(process, batch);
    std::array<X, most_steps + 1> path;  // (n, …) each
    auto const at = [&, grid = grid_of(process)](Index i) {
      auto const time = static_cast<typename X::Scalar>(grid(i + 1, steps + 1));
      return X(drawn.z.shape().per_sample(), time);  // (n, 1, …)
    };
    auto const point = [&](Index i) -> X& { return path[static_cast<std::size_t>(i)]; };  // (n, …)
    point(steps) = process.prior(drawn.z);
    for (Index i = steps; i > 0; --i) point(i - 1) = solver.step(v, point(i), at(i), at(i - 1));
    auto const term = [&](Index i) {
      auto const x = f_given(theta, point(i), at(i), drawn.mode);       // (n, …)
      return evaluated(weighting(at(i), at(0)) * metric(x, point(0)));  // (n, 1, …)
    };
    auto total = term(steps);
    for (Index i = steps - 1; i > 0; --i) total = evaluated(total + term(i));
    return evaluated((1.0 / static_cast<double>(steps)) * total);
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
