// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <consistency/network/summary.hpp>
#include <consistency/network/unet_body.hpp>

namespace consistency {

struct UNetSettings {
  Index channels = 32;                      ///< at the first level
  std::vector<Index> multipliers = {1, 2};  ///< channels of each level, in units of the first's
  Index blocks = 2;                         ///< residual blocks per level
  std::vector<Index> attention = {};        ///< heights of levels (after the patch) that get self-attention
  Index heads = 1;                          ///< of the attention
  Index groups = 8;                         ///< of the normalisation
  Index patch = 1;                          ///< p×p pixels become channels before the first convolution
  double dropout = 0;                       ///< rate in [0, 1)
  bool recompute = false;  ///< residual blocks in the backward pass: less memory, longer steps
  Index embedding = 128;   ///< channels of the time embedding
  Conditioning conditioning = Conditioning::scale_shift;
  TimeEmbedding time{};
  ConditionSettings condition{};
  Shape image = {28, 28, 1};  ///< (h, w, c)
};

/// A compact U-Net (Ronneberger et al. 2015; Karras et al. 2022): (n, h, w, c) and times to (n, h, w, c).
class UNet {
 public:
  /// Throws config_error for settings that do not fit each other, naming the numbers.
  explicit UNet(UNetSettings settings = {})
      : settings_{checked(std::move(settings))}, body_{settings_, Layers{table_, settings_}, 1} {
    detail::declare_conventions(table_, settings_);
  }

  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers
  UNetSettings const& settings() const noexcept { return settings_; }
  Shape data_shape() const { return settings_.image; }  ///< of one sample

  /// F_θ(x, conditions): x (n, h, w, c), the time is c_noise(t), (n, 1, 1, 1).
  auto operator()(auto const& theta, Value auto const& x, auto const& at, Mode const& mode = {}) const {
    auto const& s = settings_;
    detail::require_images("UNet", x.shape(), s.image);
    if (s.patch == 1) return body_(theta, evaluated(x), at, mode);      // (n, h, w, c)
    auto const y = body_(theta, space_to_depth(x, s.patch), at, mode);  // (n, h / p, w / p, p² c)
    return depth_to_space(y, s.patch);                                  // (n, h, w, c)
  }

 private:
  static Index even(Index channels) { return channels - channels % 2; }

  struct Layers {
    ParameterTable& table;
    UNetSettings const& s;

    ConditionEmbedding conditions() const {
      return {
          table, {.condition = "condition", .labels = "augmentation"}, s.time, even(s.channels), s.condition};
    }
    Linear embed_hidden() const { return {table, "time.0", even(s.channels), s.embedding, 1.4}; }
    Linear embed() const { return {table, "time.1", s.embedding, s.embedding, 1.4}; }
    Convolution first() const { return {table, "in", image_channels(), s.channels}; }
    ResidualBlock block(UNetPlace const& at, Index in, Index out) const {
      return {table, name(at), in, out,
              ResidualBlockSettings{
                  .embedding = s.embedding,
                  .groups = s.groups,
                  .heads = detail::attends(s.attention, s.image[0] / s.patch >> at.level) ? s.heads : 0,
                  .dropout = s.dropout,
                  .recompute = s.recompute,
                  .conditioning = s.conditioning,
                  .resampling = at.resampling}};
    }
    Normalization norm(Index channels) const { return {table, "out.norm", channels, {.groups = s.groups}}; }
    Convolution last(Index channels) const {
      return {table, "out", channels, image_channels(), {.gain = 1e-1}};
    }

   private:
    Index image_channels() const { return s.image[2] * s.patch * s.patch; }
    static std::string name(UNetPlace const& at) {
      if (at.path == UNetPlace::Path::middle) return "middle";
      return (at.path == UNetPlace::Path::down ? "down" : "up") + number_text(at.level) + "." +
             (at.resampling == Resampling::none ? number_text(at.block) : "resample");
    }
  };

  static UNetSettings checked(UNetSettings s) {
    constexpr auto advice = "Change the setting or the image size.";
    detail::check_unet("UNet", s);
    require_within("UNet", "channels", s.channels, 2, detail::largest_setting);
    s.time.check(even(s.channels));
    require_within("UNet", "patch", s.patch, 1, 1024);
    if (s.image.rank() != 3) fail<config_error>("UNet", "image", s.image.text(), "(h, w, c)", advice);
    for (auto const extent : s.image)
      require_within("UNet", "extent of the image", extent, 1, detail::largest_setting);
    require_within("UNet", "channels of the image times patch²", s.image[2] * s.patch * s.patch, 1,
                   detail::largest_setting);
    auto const levels = s.multipliers.size();
    auto const factor = s.patch << (levels - 1);
    if (s.image[0] % factor != 0 || s.image[1] % factor != 0)
      fail<config_error>("UNet", "image", s.image.text(),
                         "height and width divisible by patch · 2^(levels − 1) = " + number_text(factor),
                         advice);
    detail::check_attention("UNet", s.attention, s.image[0] / s.patch, levels);
    if (s.attention.empty() && s.heads != 1)
      fail<config_error>("UNet", "heads", number_text(s.heads) + " without attention",
                         "1, or heights for attention", advice);
    return s;
  }

  UNetSettings settings_;
  ParameterTable table_;
  UNetBody body_;
};

}  // namespace consistency
