// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/network/imagenet.hpp>
#include <consistency/network/layer/linear.hpp>
#include <consistency/network/layer/transformer_block.hpp>
#include <consistency/network/summary.hpp>

namespace consistency {

/// By default ViT-L/14.
struct DinoV2Settings {
  Index channels = 1024;
  Index blocks = 24;
  Index heads = 16;
  Index hidden = 4096;  ///< of each block's two linear maps
  Index patch = 14;
  Index grid = 37;  ///< patches along a side for which there are position embeddings: of 518×518 images
};

/// DINOv2's vision transformer without registers (Oquab et al. 2023) under the names of
/// facebookresearch/dinov2: images of range [−1, 1], (n, h, w, 3), to features (n, channels), the class token
/// behind the last normalisation. Sides are divisible by the patch. Position embeddings are resized as there,
/// by cubic convolution with the scale (side / patch + 0.1) / grid; for FD-DINOv2 images are first resized to
/// 224×224.
class DinoV2 {
 public:
  static constexpr double epsilon = 1e-6;

  /// Throws config_error for sizes that are not from 1 on, or channels that heads do not divide.
  explicit DinoV2(DinoV2Settings settings = {}) : settings_{checked(settings)} {
    auto const& s = settings_;
    class_token_ = table_.add("cls_token", {1, 1, s.channels}, {.deviation = 0.02});
    positions_ = table_.add("pos_embed", {1, s.grid * s.grid + 1, s.channels}, {.deviation = 0.02});
    auto const window = s.patch * s.patch * 3;
    weight_ = table_.add("patch_embed.proj.weight", {s.patch, s.patch, 3, s.channels},
                         Initializer::variance(window));
    bias_ = table_.add("patch_embed.proj.bias", {s.channels}, Initializer::zeros());
    for (Index i = 0; i < s.blocks; ++i)
      blocks_.emplace_back(
          table_, "blocks." + number_text(i),
          TransformerBlockSettings{
              .channels = s.channels, .heads = s.heads, .hidden = s.hidden, .epsilon = epsilon});
    norm_.emplace(table_, "norm", s.channels, epsilon);
    table_.add_convention({"heads", number_text(s.heads), number_text(s.heads)});
    table_.add_foreign({"mask_token", std::nullopt});  // of its training
  }

  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers
  DinoV2Settings const& settings() const noexcept { return settings_; }

  auto operator()(auto const& theta, Operand auto const& x) const {
    auto const& s = settings_;
    auto const folded = space_to_depth(imagenet_scaled(x), s.patch);  // (n, rows, columns, patch² 3)
    auto const n = folded.shape()[0], rows = folded.shape()[1], columns = folded.shape()[2];
    auto const weight = reshape(theta[weight_], {s.patch * s.patch * 3, s.channels});  // (patch² 3, c)
    auto const patches =
        reshape(linear(folded, weight, theta[bias_]), {n, rows * columns * s.channels});  // (n, tokens − 1)
    auto const first = broadcast_to(reshape(theta[class_token_], {1, s.channels}), {n, s.channels});
    auto const tokens = reshape(concat(first, patches), {n, 1 + rows * columns, s.channels});  // (n, t, c)
    auto h = evaluated(tokens + positions(theta, rows, columns));                              // (n, t, c)
    for (auto const& block : blocks_) h = block(theta, h);                                     // (n, t, c)
    auto const flat = reshape((*norm_)(theta, h), {n, (1 + rows * columns) * s.channels});
    return slice(flat, 0, s.channels);  // (n, c)
  }

  /// The weights (to, from) of one axis of the position embeddings: cubic convolution with a = −3/4 (Keys
  /// 1981), half-pixel centres, edges repeated. Image pixel i lies at (i + 1/2) from / (to + 0.1) − 1/2.
  static Tensor<double> cubic_weights(Index from, Index to) {
    constexpr auto a = -0.75;
    auto const weight = [](double d) {
      if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
      return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    };
    auto weights = Tensor<double>(Shape{to, from}, 0.0);
    for (Index i = 0; i < to; ++i) {
      auto const at =
          (static_cast<double>(i) + 0.5) * static_cast<double>(from) / (static_cast<double>(to) + 0.1) - 0.5;
      auto const below = std::floor(at);
      for (Index k = -1; k <= 2; ++k) {
        auto const pixel = std::clamp<Index>(static_cast<Index>(below) + k, 0, from - 1);
        weights.mutable_data()[i * from + pixel] += weight(std::abs(at - below - static_cast<double>(k)));
      }
    }
    return weights;
  }

 private:
  static DinoV2Settings checked(DinoV2Settings const& s) {
    require_within("DinoV2", "channels", s.channels, 1, max_channels);
    require_within("DinoV2", "heads", s.heads, 1, s.channels);
    require_within("DinoV2", "hidden", s.hidden, 1, max_channels);
    require_within("DinoV2", "blocks", s.blocks, 1, 1024);
    require_within("DinoV2", "patch", s.patch, 1, 1024);
    require_within("DinoV2", "grid", s.grid, 1, 1024);
    if (s.channels % s.heads != 0)
      fail<config_error>("DinoV2", "channels not divisible by heads",
                         number_text(s.channels) + " channels, " + number_text(s.heads) + " heads",
                         "a multiple of the heads");
    return s;
  }

  /// Position embeddings of the class token and of a grid of another size, (1, 1 + rows · columns, c).
  auto positions(auto const& theta, Index rows, Index columns) const {
    auto const g = settings_.grid, c = settings_.channels;
    auto const& all = theta[positions_];  // (1, 1 + grid², c)
    auto const flat = reshape(all, {1, (1 + g * g) * c});
    auto const own = slice(flat, 0, c);           // (1, c)
    auto grid = slice(flat, c, (1 + g * g) * c);  // (1, grid² c)
    if (rows != g || columns != g) {
      grid = resized(reshape(grid, {1, g, g * c}), rows);    // (1, rows, grid c)
      grid = resized(reshape(grid, {rows, g, c}), columns);  // (rows, columns, c)
    }
    return reshape(concat(own, reshape(grid, {1, rows * columns * c})), {1, 1 + rows * columns, c});
  }

  /// x (n, grid, c) → (n, to, c)
  template <Value V>
  static auto resized(V const& x, Index to) {
    using T = tensor_of_t<V>;
    auto const weights = cubic_weights(x.shape()[1], to);  // (to, grid)
    auto repeated = Tensor<typename T::Scalar>{Shape{x.shape()[0], 1, to, x.shape()[1]}};
    for (Index i = 0; i < repeated.count(); ++i)
      repeated.mutable_data()[i] = static_cast<typename T::Scalar>(weights[i % weights.count()]);
    return attention_mix(consistency::to<typename T::Backend>(repeated), x);
  }

  DinoV2Settings settings_;
  ParameterTable table_;
  ParameterId class_token_ = 0, positions_ = 0, weight_ = 0, bias_ = 0;
  std::vector<TransformerBlock> blocks_;
  std::optional<LayerNorm> norm_;
};

}  // namespace consistency
