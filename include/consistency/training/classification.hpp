// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>

#include <consistency/data/batch.hpp>
#include <consistency/network/mode.hpp>
#include <consistency/tensor/functions.hpp>
#include <consistency/training/method.hpp>

namespace consistency {

/// A network of (θ, x) whose logits(θ, x) say of what class images are, as a Trainer takes it.
template <class N>
class Classifier {
 public:
  explicit Classifier(N network) : network_{std::move(network)} {}

  N const& network() const noexcept { return network_; }
  template <class X = Tensor<float>>
  Parameters<X> initialize(Key key) const {
    return Parameters<X>::initialized(network_.parameters(), key);
  }
  /// Logits (n, classes).
  auto operator()(auto const& theta, Operand auto const& x) const { return network_.logits(theta, x); }

 private:
  N network_;
};

/// Trains a classifier on images whose condition is their class (ClassLabels): minimises the cross-entropy
/// ln Σ_k exp(s_k) − s_label of its logits s. Not a consistency method: for features to measure samples by.
template <class F>
struct Classification {
  static constexpr bool has_target = false;
  F f;  ///< a Classifier

  /// It draws nothing.
  struct Draws {
    Mode mode{.training = true};
    Draws clone() const { return *this; }
    void assign(Draws const& from) { mode = from.mode; }
  };

  void check() const {}
  double resolution(Index) const { return 0; }
  double rate(Index) const { return 0; }

  template <class X>
  Draws draw(X const&, Index, Key, std::uint32_t = 0) const {
    return {};
  }
  /// The term of each sample, (n, 1). Throws config_error for images without their classes.
  template <class X>
  auto distance(auto const& theta, Parameters<X> const&, std::type_identity_t<Batch<X>> const& batch,
                Draws const&) const {
    auto const s = evaluated(f(theta, batch.x0));  // (n, classes)
    if (batch.condition.width() != s.shape().back())
      fail<config_error>("Classification", "condition", number_text(batch.condition.width()) + " features",
                         number_text(s.shape().back()) + ", as there are classes",
                         "Read the images with their labels: LabelledImageBatches.");
    auto const largest = stop_gradient(evaluated(max_per_sample(s)));                       // (n, 1)
    auto const sum = evaluated(sum_per_sample(exp(s - largest)));                           // (n, 1)
    return evaluated(log(sum) + largest - sum_per_sample(s * batch.condition.features()));  // (n, 1)
  }
  auto loss(auto const& theta, auto const& theta_minus, auto const& batch, auto const& drawn) const {
    return mean(distance(theta, theta_minus, batch, drawn));  // ()
  }
};

}  // namespace consistency
