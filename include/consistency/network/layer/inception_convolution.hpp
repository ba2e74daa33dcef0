// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/network/layer/batch_normalization.hpp>
#include <consistency/network/layer/windows.hpp>
#include <consistency/network/parameters.hpp>

namespace consistency {

/// 1×1, k×k, 1×k or k×1, k odd.
struct InceptionConvolutionSettings {
  Index height = 1;
  Index width = 1;
  Index stride = 1;    ///< 2: of a 3×3 that is not padded
  bool padded = true;  ///< with zeros, to the image's size; else windows lie within the image, a 3×3's
};

/// A convolution without a bias, batch normalisation with ε = 10⁻³, and ReLU: the layer of Inception-v3
/// (Szegedy et al. 2016). The first two are one convolution, of weights W γ/σ.
class InceptionConvolution {
 public:
  using Settings = InceptionConvolutionSettings;

  InceptionConvolution(ParameterTable& table, std::string const& name, Index in, Index out, Settings settings)
      : weight_{table.add(name + ".conv.weight", {settings.height, settings.width, in, out},
                          Initializer::variance(settings.height * settings.width * in, 1.41))},
        normalization_{table, name + ".bn", out, 1e-3},
        in_{in},
        out_{out},
        settings_{settings} {}

  Index channels() const noexcept { return out_; }

  /// x (n, h, w, in) → (n, h, w, out), or (n, (h − 3) / stride + 1, (w − 3) / stride + 1, out) if not padded.
  auto operator()(auto const& theta, Operand auto const& x) const {
    auto const scale = normalization_.scale(theta);                  // (out)
    auto const weight = evaluated(theta[weight_] * scale);           // (height, width, in, out)
    auto const shift = normalization_.shift(theta, scale);           // (out)
    return evaluated(relu(convolved(evaluated(x), weight, shift)));  // (n, h, w, out)
  }
  /// The convolution alone, before normalisation and ReLU, of a 1×1.
  auto bare(auto const& theta, Operand auto const& x) const {
    return linear(x, reshape(theta[weight_], {in_, out_}));  // (n, h, w, out)
  }

 private:
  template <Value X, Value W>
  auto convolved(X const& x, W const& weight, W const& shift) const -> decltype(conv2d(x, weight, shift)) {
    using windows::Axis;
    auto const& s = settings_;
    if (s.height == 1 && s.width == 1) return linear(x, reshape(weight, {in_, out_}), shift);
    if (s.padded) return conv2d(x, weight, shift);
    // A convolution that pads by 1 reads rows 2i − 1, …, 2i + 1: those of a window within the image, 2i, …,
    // 2i + 2, after one more row of zeros, from the second on.
    auto const more = s.stride - 1;
    auto const wide = windows::padded(windows::padded(x, Axis::rows, more, 0), Axis::columns, more, 0);
    auto const y = conv2d(wide, weight, shift, s.stride);
    auto const within = [&](auto const& z, Axis axis) {
      return windows::places(z, axis, 1, 2 + (windows::length(x.shape(), axis) - 3) / s.stride);
    };
    return within(within(y, Axis::rows), Axis::columns);
  }

  ParameterId weight_;
  BatchNormalization normalization_;
  Index in_, out_;
  Settings settings_;
};

}  // namespace consistency
