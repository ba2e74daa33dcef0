#pragma once

#include <utility>

#include <consistency/metric/metric.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/schedule/time_pair.hpp>
#include <consistency/solver/euler.hpp>
#include <consistency/solver/velocity.hpp>
#include <consistency/training/target.hpp>

namespace consistency {

/// The sentence that every discrete method says: draw times t > r, build x_t = x + t z, move it along the ODE
/// to x_r, take y = f_θ⁻(x_r, r) as a constant, and minimise w(t, r) · d(f_θ(x_t, t), y) (Song et al. 2023,
/// Eqs. 7 and 10; Algorithms 2 and 3).
template <class F, Metric D, TimePairs T, class W, TargetNetwork Target, class Source, OdeSolver Solver>
struct ConsistencyObjective {
  F f;
  D metric;
  T times;
  W weighting;
  Target target;
  Source velocity;
  Solver solver;

  /// The mean loss of a batch x0 (n, …) at training step k, for parameters θ on a tape or plain. Sample i of
  /// the batch is sample first + i of the step: noise, times and dropout depend on nothing else.
  template <class X>
  auto loss(auto const& theta, Parameters<X> const& theta_minus, X const& x0, Index k, Key key,
            std::uint32_t first = 0) const {
    auto const at = Counter{static_cast<std::uint32_t>(k), first};
    auto const mode = Mode{.training = true, .key = key, .first = at};
    auto const [t, r] = draw<X>(x0.shape(), k, key, at);
    auto const z = normal<typename X::Scalar>(x0.shape(), key.with_stream(stream::noise), at);
    X const x_t = x0 + t * z;
    X const x_r = solver.step(velocity.given(x0), x_t, t, r);
    X const y = f(theta_minus, x_r, r, mode);
    return mean(weighting(t, r) * metric(f(theta, x_t, t, mode), y));
  }

 private:
  template <class X>
  std::pair<X, X> draw(Shape const& shape, Index k, Key key, Counter at) const {
    auto t = X{shape.per_sample()};
    auto r = X{shape.per_sample()};
    for (Index i = 0; i < shape[0]; ++i) {
      auto const pair =
          times.draw(k, key.with_stream(stream::times), {at.step, at.sample + static_cast<std::uint32_t>(i)});
      t.mutable_data()[i] = static_cast<typename X::Scalar>(pair.t);
      r.mutable_data()[i] = static_cast<typename X::Scalar>(pair.r);
    }
    return {std::move(t), std::move(r)};
  }
};

}  // namespace consistency
