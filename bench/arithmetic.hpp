// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/network/parameters.hpp>
#include <consistency/tensor/functions.hpp>

namespace bench {

namespace cm = consistency;

/// A value with a shape and no numbers. Operations on it add up the floating-point operations of their
/// products: what a network costs, found by running it.
class Outline {
 public:
  using Tensor = cm::Tensor<float>;
  using Scalar = Tensor::Scalar;
  using Backend = Tensor::Backend;

  Outline() = default;
  explicit Outline(cm::Shape shape) : shape_{shape} {}
  cm::Shape const& shape() const noexcept { return shape_; }
  bool defined() const noexcept { return shape_.rank() > 0; }

  static inline double operations = 0;

 private:
  cm::Shape shape_;
};
inline Outline const& stop_gradient(Outline const& x) { return x; }

}  // namespace bench

template <>
inline constexpr bool consistency::is_value<bench::Outline> = true;

namespace bench {

/// Multiplications and additions per number of the result.
double per_number(auto const&, auto const&...) { return 0; }
double per_number(cm::op::Linear const&, cm::Shape const&, cm::Shape const& w, auto const&...) {
  return 2 * static_cast<double>(w[0]);
}
double per_number(cm::op::Conv2d const&, cm::Shape const&, cm::Shape const& w, auto const&...) {
  return 2 * static_cast<double>(w[0] * w[1] * w[2]);
}
inline double per_number(cm::op::AttentionScores const& op, cm::Shape const& q, cm::Shape const&) {
  return 2 * static_cast<double>(q[2] / op.heads);
}
inline double per_number(cm::op::AttentionMix const&, cm::Shape const&, cm::Shape const& v) {
  return 2 * static_cast<double>(v[1]);
}

template <class Op, class... X>
  requires(std::same_as<X, Outline> || ...)
Outline apply(Op const& op, X const&... x) {
  auto const y = op.result(x.shape()...);
  Outline::operations += static_cast<double>(y.count()) * per_number(op, x.shape()...);
  return Outline{y};
}
template <class F, class... X>
  requires(std::same_as<X, Outline> || ...)
Outline apply(cm::Pointwise<F> const&, X const&... x) {
  return Outline{cm::BroadcastPlan<sizeof...(X)>{x.shape()...}.shape};
}

/// Floating-point operations of one evaluation of a network on n samples, by the direct algorithms.
double evaluation_operations(auto const& network, cm::Index n) {
  struct Theta {
    cm::ParameterTable const& table;
    Outline operator[](cm::ParameterId id) const { return Outline{table.entries()[id].shape}; }
  };
  auto const image = network.data_shape();
  auto const x = Outline{{n, image[0], image[1], image[2]}};
  Outline::operations = 0;
  network(Theta{network.parameters()}, x, Outline{x.shape().per_sample()});
  return Outline::operations;
}

}  // namespace bench
