// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/network/layer/convolution.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

struct NormalizedConvolutionSettings {
  Index kernel = 3;
  Index stride = 1;
  double epsilon = 1e-5;
};

/// k×k convolution without a bias, then batch normalisation with the statistics of training (Ioffe & Szegedy
/// 2015). Both are one convolution: weights W γ/σ and bias β − μ γ/σ.
class NormalizedConvolution {
 public:
  NormalizedConvolution(ParameterTable& table, std::string const& convolution,
                        std::string const& normalization, Index in, Index out,
                        NormalizedConvolutionSettings settings)
      : weight_{Convolution::add_weight(
            table, convolution, in, out,
            {.kernel = settings.kernel, .stride = settings.stride, .gain = 1.41})},
        scale_{table.add(normalization + ".weight", {out}, Initializer::ones())},
        shift_{table.add(normalization + ".bias", {out}, Initializer::zeros())},
        mean_{table.add(normalization + ".running_mean", {out}, Initializer::zeros())},
        variance_{table.add(normalization + ".running_var", {out}, Initializer::ones())},
        settings_{settings} {}

  /// x (n, h, w, in) → (n, h / stride, w / stride, out), rounded up.
  auto operator()(auto const& theta, Operand auto const& x) const {
    auto const scale = folded_scale(theta);  // (out)
    return conv2d(x, theta[weight_] * scale, theta[shift_] - theta[mean_] * scale, settings_.stride);
  }
  /// The same + residual (n, h, w, out), for a stride of 1.
  auto added(auto const& theta, Operand auto const& x, Operand auto const& residual) const {
    auto const scale = folded_scale(theta);  // (out)
    return conv2d(x, theta[weight_] * scale, theta[shift_] - theta[mean_] * scale, residual, 1.0);
  }

 private:
  auto folded_scale(auto const& theta) const {
    return evaluated(theta[scale_] / sqrt(theta[variance_] + settings_.epsilon));  // (out)
  }

  ParameterId weight_, scale_, shift_, mean_, variance_;
  NormalizedConvolutionSettings settings_;
};

}  // namespace consistency
