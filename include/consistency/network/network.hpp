// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>

#include <consistency/network/conditions.hpp>
#include <consistency/network/mode.hpp>
#include <consistency/network/parameters.hpp>

namespace consistency {

/// A network F_θ(x, conditions, mode) together with the table of its parameters. Models: UNet, Mlp, any type
/// with a templated call operator. docs/concepts/network.md
template <class N>
concept Network = requires(N const& net, Parameters<Tensor<float>> const& theta, Tensor<float> const& x,
                           Conditions<Tensor<float>, Tensor<float>> const& at) {
  { net.parameters() } -> std::convertible_to<ParameterTable const&>;
  { net.data_shape() } -> std::convertible_to<Shape>;  // of one sample
  { evaluated(net(theta, x, at, Mode{})) } -> std::convertible_to<Tensor<float>>;
};

}  // namespace consistency
