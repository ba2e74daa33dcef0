// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/core/check.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

struct ConvolutionSettings {
  Index kernel = 3;
  Index stride = 1;
  double gain = 1;
  WeightDistribution distribution = WeightDistribution::fan_in;
};

/// k×k convolution with padding k/2 and a stride.
class Convolution {
 public:
  /// Throws config_error for a kernel or stride that is not from 1 to 1024, or without channels.
  Convolution(ParameterTable& table, std::string const& name, Index in, Index out,
              ConvolutionSettings settings = {})
      : weight_{add_weight(table, name, in, out, settings)},
        bias_{table.add(name + ".bias", {out},
                        Initializer::biases(settings.distribution, settings.kernel * settings.kernel * in,
                                            settings.gain))},
        stride_{settings.stride} {}

  /// The weights alone. Throws as the constructor does.
  static ParameterId add_weight(ParameterTable& table, std::string const& name, Index in, Index out,
                                ConvolutionSettings const& s) {
    require_within(name, "kernel", s.kernel, 1, 1024);
    require_within(name, "stride", s.stride, 1, 1024);
    require_within(name, "channels in", in, 1, max_channels);
    require_within(name, "channels out", out, 1, max_channels);
    auto const window = s.kernel * s.kernel;
    return table.add(name + ".weight", {s.kernel, s.kernel, in, out},
                     Initializer::weights(s.distribution, window * in, window * out, s.gain));
  }

  /// x (n, h, w, in) → (n, h / stride, w / stride, out), rounded up.
  auto operator()(auto const& theta, Operand auto const& x) const {
    return conv2d(x, theta[weight_], theta[bias_], stride_);
  }
  /// The same shifted for each sample by its own (n, 1, 1, out).
  auto shifted(auto const& theta, Operand auto const& x, Operand auto const& shift) const {
    return conv2d(x, theta[weight_], theta[bias_] + shift, stride_);
  }
  /// scale · (the same + residual), for a stride of 1; residual (n, h, w, out).
  auto added(auto const& theta, Operand auto const& x, Operand auto const& residual, double scale) const {
    return conv2d(x, theta[weight_], theta[bias_], residual, scale);
  }

 private:
  ParameterId weight_, bias_;
  Index stride_;
};

}  // namespace consistency
