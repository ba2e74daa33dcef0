// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/network/parameters.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// Batch normalisation with the statistics of training (Ioffe & Szegedy 2015): y = γ (x − μ) / σ + β, which
/// is scale · x + shift for each channel.
class BatchNormalization {
 public:
  BatchNormalization(ParameterTable& table, std::string const& name, Index channels, double epsilon)
      : weight_{table.add(name + ".weight", {channels}, Initializer::ones())},
        bias_{table.add(name + ".bias", {channels}, Initializer::zeros())},
        mean_{table.add(name + ".running_mean", {channels}, Initializer::zeros())},
        variance_{table.add(name + ".running_var", {channels}, Initializer::ones())},
        epsilon_{epsilon} {}

  /// γ / σ, (channels)
  auto scale(auto const& theta) const {
    return evaluated(theta[weight_] / sqrt(theta[variance_] + epsilon_));
  }
  /// β − μ · scale, (channels)
  auto shift(auto const& theta, Operand auto const& scale) const {
    return evaluated(theta[bias_] - theta[mean_] * scale);
  }

 private:
  ParameterId weight_, bias_, mean_, variance_;
  double epsilon_;
};

}  // namespace consistency
