// SPDX-License-Identifier: MIT
#pragma once

// The networks whose features the literature compares, for samples and data of any size, grey or coloured.

#include <algorithm>
#include <cstddef>

#include <consistency/io/image.hpp>
#include <consistency/io/resize_image.hpp>
#include <consistency/network/dinov2.hpp>
#include <consistency/network/inception_v3.hpp>
#include <consistency/tensor/cpu.hpp>

#include "judge.hpp"

namespace run {

using namespace consistency;

/// What files of these images would hold: rounded to bytes, in three channels, and `side` pixels high and
/// wide by Pillow's bicubic filter, unless that is 0. x (n, h, w, 1 or 3) → (n, h or side, w or side, 3)
inline Tensor<float> as_pictures(Tensor<float> const& x, Index side = 0) {
  auto const n = x.shape()[0], channels = x.shape()[3];
  if (channels != 1 && channels != 3)
    fail<shape_error>("as_pictures", "images", x.shape().text(), "1 or 3 channels");
  ImageSet pictures{.count = n,
                    .height = side == 0 ? x.shape()[1] : side,
                    .width = side == 0 ? x.shape()[2] : side,
                    .channels = 3,
                    .pixels = {},
                    .labels = {}};
  for (Index i = 0; i < n; ++i) {
    Image image{.height = x.shape()[1], .width = x.shape()[2], .channels = channels, .pixels = {}};
    auto const size = image.height * image.width * channels;
    auto const* const from = x.data() + i * size;
    image.pixels.resize(static_cast<std::size_t>(size));
    std::transform(from, from + size, image.pixels.begin(), to_byte);
    if (side != 0) image = resized(image, side, side);
    for (auto const byte : image.pixels)
      pictures.pixels.insert(pictures.pixels.end(), static_cast<std::size_t>(3 / channels), byte);
  }
  return image_batch(pictures, 0, n);
}

/// Inception-v3 as FID and the Inception Score take it.
struct InceptionFeatures {
  static constexpr Index batch = 25;  ///< images at a time, about a gigabyte
  static constexpr auto resize = ", images resized to 299 x 299 as TensorFlow 1 does";
  InceptionV3 network{};

  ParameterTable const& parameters() const noexcept { return network.parameters(); }
  auto pooled(auto const& theta, Tensor<float> const& x) const { return network(theta, as_pictures(x)); }
  auto scores(auto const& theta, Tensor<float> const& f) const { return network.unbiased_logits(theta, f); }
};

/// DINOv2's ViT-L/14 as FD-DINOv2 takes it (Stein et al. 2023).
struct DinoFeatures {
  static constexpr Index batch = 25;
  static constexpr auto resize = ", images resized to 224 x 224 by Pillow's bicubic filter";
  DinoV2 network{};

  ParameterTable const& parameters() const noexcept { return network.parameters(); }
  auto pooled(auto const& theta, Tensor<float> const& x) const { return network(theta, as_pictures(x, 224)); }
};

}  // namespace run
