// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/network/layer/batch_normalization.hpp>
#include <consistency/network/layer/convolution.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

struct NormalizedConvolutionSettings {
  Index kernel = 3;
  Index stride = 1;
  double epsilon = 1e-5;
};

/// k×k convolution without a bias, then batch normalisation. Both are one convolution, of weights W γ/σ.
class NormalizedConvolution {
 public:
  NormalizedConvolution(ParameterTable& table, std::string const& convolution,
                        std::string const& normalization, Index in, Index out,
                        NormalizedConvolutionSettings settings)
      : weight_{Convolution::add_weight(
            table, convolution, in, out,
            {.kernel = settings.kernel, .stride = settings.stride, .gain = 1.41})},
        normalization_{table, normalization, out, settings.epsilon},
        stride_{settings.stride} {}

  /// x (n, h, w, in) → (n, h / stride, w / stride, out), rounded up.
  auto operator()(auto const& theta, Operand auto const& x) const {
    auto const scale = normalization_.scale(theta);  // (out)
    return conv2d(x, theta[weight_] * scale, normalization_.shift(theta, scale), stride_);
  }
  /// The same + residual (n, h, w, out), for a stride of 1.
  auto added(auto const& theta, Operand auto const& x, Operand auto const& residual) const {
    auto const scale = normalization_.scale(theta);  // (out)
    return conv2d(x, theta[weight_] * scale, normalization_.shift(theta, scale), residual, 1.0);
  }

 private:
  ParameterId weight_;
  BatchNormalization normalization_;
  Index stride_;
};

}  // namespace consistency
