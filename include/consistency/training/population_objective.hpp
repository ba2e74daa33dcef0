// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include <consistency/condition/given.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/metric/metric.hpp>
#include <consistency/network/feature_network.hpp>
#include <consistency/parameterization/kind.hpp>
#include <consistency/population/drift.hpp>
#include <consistency/population/groups.hpp>
#include <consistency/population/squared_mmd.hpp>
#include <consistency/process/process_of.hpp>
#include <consistency/schedule/time_span.hpp>
#include <consistency/target/target.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/flow_map_objective.hpp>
#include <consistency/training/method.hpp>
#include <consistency/weighting/weighting.hpp>

/// Losses that compare groups of samples, any type with the members f and group: a group of a batch is a
/// population of data, and one of what f makes of noise. A sample's term depends on its group.
namespace consistency::population {

/// Noise, and times that a group has in common. Throws config_error where a batch, a micro-batch or a rank's
/// part of a batch is not of whole groups.
template <class X>
auto draw(auto const& method, char const* where, X const& x0, Index k, Key key, std::uint32_t first) {
  require_groups(where, method.group, first, x0.shape()[0]);
  if constexpr (requires { method.times; }) {
    return flow_map::draw(method, x0, k, key, first);
  } else {
    auto const T = process_of(method.f).range().largest;
    return draw_for<1>(x0, k, key, first, [T](Key, Counter) { return std::array{T}; });
  }
}

/// Throws shape_error unless features of generated samples and of data are of n samples and of one size.
inline void check_features(char const* where, Shape const& generated, Shape const& data, Index n) {
  if (generated.rank() == 0 || generated[0] != n || generated != data)
    fail<shape_error>(where, "features of generated samples and of data",
                      generated.text() + " and " + data.text(), "one size, (" + number_text(n) + ", ...)",
                      "A feature network gives the features of each sample that it is given.");
}

/// Σ over the features φ of d(φ(x) / u, stopgrad(φ(x) / u + V)) of each sample x = f(z, T), with the drift V
/// of its group and its unit u.
template <class M, class X>
auto drift_distance(M const& m, auto const& theta, Batch<X> const& batch, Draws<X, 1> const& drawn) {
  auto const n = batch.count();
  X const x_T = process_of(m.f).prior(drawn.z);                                                 // (n, …)
  auto const x = with_condition(m.f, batch.condition)(theta, x_T, drawn.times[0], drawn.mode);  // (n, …)
  auto const term = [&](auto const& generated, X const& data) {
    check_features("Drifting", generated.shape(), data.shape(), n);
    auto const phi = grouped(generated, m.group);  // (g, group, d)
    X const own = stop_gradient(phi);
    auto const [V, unit] = drift(own, own, X(grouped(data, m.group)), m.drift);
    auto const rows = Shape{n, phi.shape()[2]};
    return m.metric(reshape(phi / unit, rows), reshape(own / unit + V, rows));  // (n, 1)
  };
  auto const generated = m.features(x);
  auto const data = m.features(batch.x0);
  return [&]<std::size_t... L>(std::index_sequence<L...>) {
    return evaluated((... + term(std::get<L>(generated), std::get<L>(data))));
  }(std::make_index_sequence<std::tuple_size_v<std::remove_const_t<decltype(data)>>>{});
}

/// The share of each sample in the squared MMD of its group at r, from X_{t→r}(x_t), and the group of
/// X⁻_{q→r}(x_q), where x_q has the data and the noise of x_t (Zhou, Ermon & Song 2025).
template <class M, class X>
auto discrepancy(M const& m, auto const& theta, Parameters<X> const& theta_minus, Batch<X> const& batch,
                 flow_map::Drawn<X> const& drawn) {
  auto const& map = with_condition(m.f, batch.condition);
  auto const process = process_of(m.f);
  auto const& [t, q, r, diagonal] = drawn.times;                                      // (n, 1, …)
  X const x_t = process.point(batch.x0, drawn.z, t);                                  // (n, …)
  X const x_q = process.point(batch.x0, drawn.z, q);                                  // (n, …)
  auto const x = grouped(map(theta, x_t, t, r, drawn.mode), m.group);                 // (g, group, d)
  X const y = grouped(map(theta_minus, x_q, q, r, drawn.mode), m.group);              // (g, group, d)
  X const out = abs(evaluated(m.f.parameterization().c_out(t, r))) + diagonal;        // (n, 1, …): |c_out|
  X const rate = grouped(X((1 / static_cast<double>(y.shape()[2])) / out), m.group);  // (g, group, 1)
  auto const share = reshape(squared_mmd(x, y, rate, m.kernel), t.shape());           // (n, 1, …)
  return evaluated(m.weighting(t, r) * share);                                        // (n, 1, …)
}

void check(auto const& method) {
  require_within("InductiveMomentMatching", "group", method.group, 1, Index{1} << 16U);
  check_settings(method.kernel);
  check_settings(method.times, process_of(method.f));
  check_settings(method.weighting);
  check_settings(method.target);
}

/// Always true, or a sentence that names the policy which is none.
template <class F, class K, class T, class W, class Target>
consteval bool policies() {
  static_assert(
      requires { requires F::kind == Kind::flow_map; },
      "InductiveMomentMatching: what it trains must be a FlowMap, X(x, t, r)");
  static_assert(DistanceKernel<K>,
                "InductiveMomentMatching: the kernel must be a DistanceKernel, k(s) of distances s");
  static_assert(TimeSpans<T>,
                "InductiveMomentMatching: the times must be TimeSpans: draw(process, k, key, at) gives t, q "
                "and r");
  static_assert(Weighting<W, 2> && weights_times_of<W, process_of_t<F>>,
                "InductiveMomentMatching: the weighting must take two times, w(t, r), of f's noise process: "
                "SigmoidWeighting is of LinearPath");
  static_assert(TargetNetwork<Target>,
                "InductiveMomentMatching: the target must be StopGradientTarget or EmaTarget");
  return true;
}

}  // namespace consistency::population
