// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include <consistency/network/layer/convolution.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// What a convolution of stride 2 sees.
enum class Stride2 : std::uint8_t {
  filtered,  ///< the image by the filter (1, 3, 3, 1) / 8 along both axes: y(m) = Σ_k w(k) u(2m + k), with
             ///< u(i) = (x(i − 2) + 3 x(i − 1) + 3 x(i) + x(i + 1)) / 8
  from_corner,  ///< the image, its first window in the corner: y(m) = Σ_k w(k) x(2m + k)
  centred       ///< the image, windows around even pixels: y(m) = Σ_k w(k) x(2m − 1 + k)
};

/// 3×3 convolution of stride 2, with zeros beyond the borders. Along an axis it sees x(2m − 2) … x(2m + 3),
/// which are three neighbours where pairs of pixels are channels: so it is a 3×3 convolution of those, whose
/// weights are linear in the layer's; where no filter comes before it, and windows are centred, one of
/// stride 2.
class StridedConvolution {
 public:
  /// Throws config_error as Convolution does.
  StridedConvolution(ParameterTable& table, std::string const& name, Index in, Index out, Stride2 kind,
                     ConvolutionSettings settings = {})
      : weight_{Convolution::add_weight(table, name, in, out, settings)},
        bias_{table.add(name + ".bias", {out},
                        Initializer::biases(settings.distribution, 9 * in, settings.gain))},
        in_{in},
        out_{out},
        kind_{kind} {}

  /// x (n, h, w, in), h and w even → (n, h / 2, w / 2, out).
  auto operator()(auto const& theta, Operand auto const& x) const {
    auto const& w = theta[weight_];                                              // (3, 3, in, out)
    if (kind_ == Stride2::centred) return conv2d(x, w, theta[bias_], Index{2});  // (n, h / 2, w / 2, out)
    auto const wide =
        linear(spread<tensor_of_t<decltype(w)>>(), reshape(w, {9, in_ * out_}));  // (36, in · out)
    return conv2d(space_to_depth(x, 2), reshape(wide, {3, 3, 4 * in_, out_}), theta[bias_],
                  Index{1});  // (n, h / 2, w / 2, out)
  }

 private:
  /// What each of the six pixels along an axis gets of each of the three weights.
  std::array<std::array<double, 3>, 6> along_axis() const {
    std::array<std::array<double, 3>, 6> taps{};  // of x(2m − 2 + j)
    constexpr auto filter = std::array{0.125, 0.375, 0.375, 0.125};
    for (std::size_t k = 0; k < 3; ++k)
      if (kind_ == Stride2::from_corner)
        taps[k + 2][k] = 1;
      else
        for (std::size_t i = 0; i < filter.size(); ++i) taps[k + i][k] += filter[i];
    return taps;
  }

  /// (36, 9): rows in the order of the wide weights' pixels, then those within a pair.
  template <class T>
  T spread() const {
    auto const taps = along_axis();
    auto numbers = Tensor<typename T::Scalar>{Shape{36, 9}};  // (36, 9)
    auto* to = numbers.mutable_data();
    for (std::size_t y = 0; y < 3; ++y)
      for (std::size_t x = 0; x < 3; ++x)
        for (std::size_t i = 0; i < 2; ++i)
          for (std::size_t j = 0; j < 2; ++j)
            for (std::size_t ky = 0; ky < 3; ++ky)
              for (std::size_t kx = 0; kx < 3; ++kx)
                *to++ = static_cast<typename T::Scalar>(taps[2 * y + i][ky] * taps[2 * x + j][kx]);
    return consistency::to<typename T::Backend>(numbers);
  }

  ParameterId weight_, bias_;
  Index in_, out_;
  Stride2 kind_;
};

}  // namespace consistency
