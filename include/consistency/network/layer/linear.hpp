// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/network/parameters.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// x W + b over the last axis.
class Linear {
 public:
  /// `interleaved`: see ParameterTable::add.
  Linear(ParameterTable& table, std::string const& name, Index in, Index out, double gain = 1,
         WeightDistribution distribution = WeightDistribution::fan_in, Index interleaved = 1)
      : weight_{table.add(name + ".weight", {in, out}, Initializer::weights(distribution, in, out, gain),
                          interleaved)},
        bias_{table.add(name + ".bias", {out}, Initializer::biases(distribution, in, gain), interleaved)} {}

  /// x (…, in) → (…, out)
  auto operator()(auto const& theta, Operand auto const& x) const {
    return linear(x, theta[weight_], theta[bias_]);
  }

 private:
  ParameterId weight_, bias_;
};

}  // namespace consistency
