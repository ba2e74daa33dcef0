// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/autodiff/forward.hpp>
#include <consistency/network/conditions.hpp>
#include <consistency/network/mode.hpp>
#include <consistency/network/parameters.hpp>

namespace consistency {

namespace detail {

template <class N, class At>
concept TakesBesideX =
    requires(N const& net, Parameters<Tensor<float>> const& theta, Tensor<float> const& x, At const& at) {
      { evaluated(net(theta, x, at, Mode{})) } -> std::convertible_to<Tensor<float>>;
    };

}  // namespace detail

/// A network together with the table of its parameters: F_θ(x, conditions, mode), or F_θ(x, time, mode) of
/// one that takes a time alone, c_noise(t) both times. A flow map's conditions have the time that it goes to,
/// c_noise(r), as well. Models: UNet, SongUNet, Adm, ConditionalUNet1d, Mlp, any type with a
/// templated call operator. docs/concepts/network.md
template <class N>
concept Network = (detail::TakesBesideX<N, Conditions<Tensor<float>, Tensor<float>>> ||
                   detail::TakesBesideX<N, Tensor<float>>)&&requires(N const& net) {
  { net.parameters() } -> std::convertible_to<ParameterTable const&>;
  { net.data_shape() } -> std::convertible_to<Shape>;  // of one sample
};

/// Whether a network can be differentiated along x and time: its call operator is a template over their
/// types.
template <class N>
concept DifferentiableNetwork =
    requires(N const& net, Parameters<Tensor<float>> const& theta, Dual<Tensor<float>> const& x,
             Conditions<Dual<Tensor<float>>, Tensor<float>> const& at) { net(theta, x, at, Mode{}); } ||
    requires(N const& net, Parameters<Tensor<float>> const& theta, Dual<Tensor<float>> const& x) {
      net(theta, x, x, Mode{});
    };

/// F_θ(x, at, mode) of any kind. Throws config_error for a condition where the network takes a time alone.
template <class T, class X, class End>
auto evaluate_network(auto const& net, auto const& theta, Value auto const& x,
                      Conditions<T, X, End> const& at, Mode const& mode) {
  if constexpr (requires { net(theta, x, at, mode); }) {
    return net(theta, x, at, mode);
  } else {
    if (at.condition.defined())
      fail<config_error>("network", "condition", number_text(at.condition.width()) + " features",
                         "none: it takes a time alone", "Let its call operator take Conditions.");
    return net(theta, x, at.time, mode);
  }
}

}  // namespace consistency
