// SPDX-License-Identifier: MIT
#pragma once

// The baseline that asks whether a policy must be a generative model at all: the minimum iterative policy,
// two regressions by one network (Pan et al. 2025). The first predicts the chunk from nothing, the second
// from the first's prediction, having been trained on chunks under a little noise.

#include <array>
#include <cstdint>
#include <utility>

#include <consistency/network/network.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/method.hpp>

namespace pushing {

/// π(x, time, o) of a network.
template <consistency::Network N>
class Regression {
 public:
  explicit Regression(N network) : network_{std::move(network)} {}
  N const& network() const { return network_; }

  /// x (n, …), under observations o (n, k) → (n, …)
  template <class X>
  auto operator()(auto const& theta, X const& x, double time, consistency::Condition<X> const& o,
                  consistency::Mode const& mode = {}) const {
    auto const at =
        consistency::Conditions{X(x.shape().per_sample(), static_cast<typename X::Scalar>(time)), o};
    return consistency::evaluate_network(network_, theta, x, at, mode);
  }

 private:
  N network_;
};

/// ‖π(0, 0, o) − a‖² + ‖π(a + 0.1 z, 0.9, o) − a‖²
template <class F>
struct TwoRegressions {
  static constexpr bool has_target = false;
  F f;
  double time = 0.9;

  void check() const {}
  double resolution(consistency::Index) const { return 0; }
  double rate(consistency::Index) const { return 0; }

  template <class X>
  consistency::Draws<X, 0> draw(X const& x0, consistency::Index k, consistency::Key key,
                                std::uint32_t first) const {
    return consistency::draw_for<0>(
        x0, k, key, first, [](consistency::Key, consistency::Counter) { return std::array<double, 0>{}; });
  }
  template <class X>
  auto loss(auto const& theta, consistency::Parameters<X> const&, consistency::Batch<X> const& batch,
            consistency::Draws<X, 0> const& drawn) const {
    auto const& a = batch.x0;                                                         // (n, …)
    X const near = a + (1 - time) * drawn.z;                                          // (n, …)
    auto const first = f(theta, X(a.shape(), 0.0F), 0, batch.condition, drawn.mode);  // (n, …)
    auto const second = f(theta, near, time, batch.condition, drawn.mode);            // (n, …)
    return evaluated(mean(square(first - a)) + mean(square(second - a)));             // ()
  }

  /// One evaluation, the first regression, or both, (n, …).
  template <class X>
  X predict(auto const& theta, consistency::Shape const& shape, consistency::Condition<X> const& o,
            int evaluations) const {
    X const first = f(theta, X(shape, 0.0F), 0, o);
    return evaluations == 1 ? first : f(theta, first, time, o);
  }
};

}  // namespace pushing
