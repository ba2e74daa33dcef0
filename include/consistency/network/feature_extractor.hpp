// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <consistency/network/parameters.hpp>

namespace consistency {

/// A feature network with its trained parameters: x ↦ network(θ, x). θ never changes; copies share it.
template <class Network, class T = Tensor<float>>
class FeatureExtractor {
 public:
  /// Throws config_error where θ belongs to another network.
  FeatureExtractor(Network network, Parameters<T> theta)
      : network_{std::move(network)}, theta_{std::make_shared<Parameters<T> const>(std::move(theta))} {
    theta_->keep_forms();
    auto const& table = theta_->table();
    auto const& expected = network_.parameters();
    if (!table.same_meaning(expected))
      fail<config_error>("FeatureExtractor", "parameters of another network", table.text(), expected.text(),
                         "Make or read them with this network's table.");
  }

  auto operator()(Operand auto const& x) const { return network_(*theta_, x); }

  Network const& network() const noexcept { return network_; }
  Parameters<T> const& parameters() const noexcept { return *theta_; }

 private:
  Network network_;
  std::shared_ptr<Parameters<T> const> theta_;
};

}  // namespace consistency
