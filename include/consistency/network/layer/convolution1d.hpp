// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/network/layer/convolution.hpp>

namespace consistency {

/// Convolution along one axis with padding k/2 and a stride: lines (n, 1, t, c) are images of height 1.
class Convolution1d {
 public:
  /// Throws config_error for a kernel that is even or not from 1 to 1023, a stride that is not from 1 to
  /// 1024, or without channels.
  Convolution1d(ParameterTable& table, std::string const& name, Index in, Index out,
                ConvolutionSettings settings = {})
      : weight_{add_weight(table, name, in, out, settings)},
        bias_{table.add(name + ".bias", {out},
                        Initializer::biases(settings.distribution, settings.kernel * in, settings.gain))},
        in_{in},
        out_{out},
        settings_{settings} {}

  /// x (n, 1, t, in) → (n, 1, t / stride, out), rounded up.
  auto operator()(auto const& theta, Operand auto const& x) const {
    auto const& w = theta[weight_];  // (1, k, in, out)
    if (settings_.kernel == 1 && settings_.stride == 1)
      return linear(x, reshape(w, {in_, out_}), theta[bias_]);  // (n, 1, t, out)
    return conv2d(x, w, theta[bias_], settings_.stride);        // (n, 1, t / stride, out)
  }

 private:
  static ParameterId add_weight(ParameterTable& table, std::string const& name, Index in, Index out,
                                ConvolutionSettings const& s) {
    require_within(name, "kernel", s.kernel, 1, 1023);
    require_setting(s.kernel % 2 == 1, name.c_str(), "kernel", static_cast<double>(s.kernel),
                    "an odd number");
    require_within(name, "stride", s.stride, 1, 1024);
    require_within(name, "channels in", in, 1, max_channels);
    require_within(name, "channels out", out, 1, max_channels);
    return table.add(name + ".weight", {1, s.kernel, in, out},
                     Initializer::weights(s.distribution, s.kernel * in, s.kernel * out, s.gain), 1,
                     TorchAxes::line);
  }

  ParameterId weight_, bias_;
  Index in_, out_;
  ConvolutionSettings settings_;
};

}  // namespace consistency
