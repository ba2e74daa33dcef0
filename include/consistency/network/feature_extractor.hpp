// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <consistency/network/prepared_parameters.hpp>
#include <consistency/tensor/expression.hpp>

namespace consistency {

/// A feature network with its trained parameters: x ↦ network(θ, x). θ never changes; copies share it.
template <class Network, class T = Tensor<float>>
class FeatureExtractor {
 public:
  /// Throws config_error where θ belongs to another network.
  FeatureExtractor(Network network, Parameters<T> theta)
      : network_{std::move(network)}, theta_{std::move(theta)} {
    auto const& table = parameters().table();
    auto const& expected = network_.parameters();
    if (!table.same_meaning(expected))
      fail<config_error>("FeatureExtractor", "parameters of another network", table.text(), expected.text(),
                         "Make or read them with this network's table.");
  }

  auto operator()(Operand auto const& x) const { return network_(parameters(), x); }

  Network const& network() const noexcept { return network_; }
  Parameters<T> const& parameters() const noexcept { return theta_.parameters(); }

 private:
  Network network_;
  PreparedParameters<T> theta_;
};

}  // namespace consistency
