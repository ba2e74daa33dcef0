#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <consistency/network/layer/embedding.hpp>
#include <consistency/network/levels.hpp>
#include <consistency/network/residual_block.hpp>
#include <consistency/network/summary.hpp>

namespace consistency {

struct UNetSettings {
  Index channels = 32;                      ///< at the first level
  std::vector<Index> multipliers = {1, 2};  ///< channels of each level, in units of the first's
  Index blocks = 2;                         ///< residual blocks per level
  std::vector<Index> attention = {};        ///< heights of levels (after the patch) that get self-attention
  Index heads = 1;                          ///< of the attention
  Index groups = 8;                         ///< of the normalisation
  Index patch = 1;                          ///< p×p pixels folded into channels at the door
  double dropout = 0;                       ///< rate in [0, 1)
  bool recompute = false;  ///< residual blocks in the backward pass: less memory, longer steps
  Index embedding = 128;   ///< channels of the time embedding
  Conditioning conditioning = Conditioning::scale_shift;
  TimeEmbedding time{};
  Shape image = {28, 28, 1};  ///< (h, w, c)
};

/// A compact U-Net (Ronneberger et al. 2015; Karras et al. 2022): (n, h, w, c) and times to (n, h, w, c).
class UNet {
 public:
  /// Throws config_error for settings that do not fit each other, naming the numbers.
  explicit UNet(UNetSettings settings = {}) : settings_{std::move(settings)} {
    check();
    auto const& s = settings_;
    detail::declare_conventions(table_, s);
    auto const wide = [&](Index channels) { return channels * s.patch * s.patch; };
    auto const embed_in = s.channels - s.channels % 2;
    embed_.emplace_back(table_, "time.0", embed_in, s.embedding, 1.4);
    embed_.emplace_back(table_, "time.1", s.embedding, s.embedding, 1.4);
    ends_.emplace_back(table_, "in", wide(s.image[2]), s.channels);

    auto height = s.image[0] / s.patch;
    std::vector<Index> skips = {s.channels};
    auto channels = s.channels;
    auto const levels = s.multipliers.size();
    auto const add = [&](auto& path, std::string const& name, Index in, Index out, Resampling resampling) {
      auto const attends = std::find(s.attention.begin(), s.attention.end(), height) != s.attention.end();
      path.emplace_back(table_, name, in, out,
                        ResidualBlock::Settings{.embedding = s.embedding,
                                                .groups = s.groups,
                                                .heads = attends ? s.heads : 0,
                                                .dropout = s.dropout,
                                                .recompute = s.recompute,
                                                .conditioning = s.conditioning,
                                                .resampling = resampling});
      channels = out;
    };
    for (std::size_t level = 0; level < levels; ++level) {
      auto const prefix = "down" + number_text(level) + ".";
      if (level > 0) {
        height /= 2;
        add(down_, prefix + "resample", channels, channels, Resampling::down);
        skips.push_back(channels);
      }
      for (Index i = 0; i < s.blocks; ++i) {
        add(down_, prefix + number_text(i), channels, s.channels * s.multipliers[level], Resampling::none);
        skips.push_back(channels);
      }
    }
    add(middle_, "middle", channels, channels, Resampling::none);
    for (auto level = levels; level-- > 0;) {
      auto const prefix = "up" + number_text(level) + ".";
      if (level + 1 < levels) {
        height *= 2;
        add(up_, prefix + "resample", channels, channels, Resampling::up);
        joins_.push_back(false);
      }
      for (Index i = 0; i < s.blocks + 1; ++i) {
        add(up_, prefix + number_text(i), channels + skips.back(), s.channels * s.multipliers[level],
            Resampling::none);
        joins_.push_back(true);
        skips.pop_back();
      }
    }
    norm_.emplace_back(table_, "out.norm", channels, Normalization::Settings{.groups = s.groups});
    ends_.emplace_back(table_, "out", channels, wide(s.image[2]), Convolution::Settings{.gain = 1e-1});
  }

  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers
  UNetSettings const& settings() const noexcept { return settings_; }
  Shape data_shape() const { return settings_.image; }  ///< of one sample

  /// F_θ(x, time): x (n, h, w, c), time is c_noise(t), (n, 1, 1, 1).
  auto operator()(auto const& theta, Value auto const& x, Operand auto const& time,
                  Mode const& mode = {}) const {
    auto const& s = settings_;
    if (x.shape().rank() != 4 || x.shape() != Shape{x.shape()[0], s.image[0], s.image[1], s.image[2]})
      throw shape_error{{.where = "UNet",
                         .what = "input",
                         .found = x.shape().text(),
                         .expected = "(n, h, w, c) with (h, w, c) = " + s.image.text(),
                         .advice = "Images are NHWC, channels last: NCHW data is to be transposed."}};
    auto const features = s.time(time, s.channels - s.channels % 2);
    auto const embedding = evaluated(silu(embed_[1](theta, silu(embed_[0](theta, features)))));
    auto h = ends_[0](theta, s.patch > 1 ? space_to_depth(x, s.patch) : evaluated(x));
    std::array<decltype(h), detail::most_blocks> skips;
    std::size_t depth = 0;
    skips[depth++] = h;
    for (auto const& block : down_) skips[depth++] = h = block(theta, h, embedding, mode);
    h = middle_[0](theta, h, embedding, mode);
    for (std::size_t i = 0; i < up_.size(); ++i) {
      if (joins_[i]) h = concat(h, std::exchange(skips[--depth], {}));
      h = up_[i](theta, h, embedding, mode);
    }
    auto y = ends_[1](theta, norm_[0](theta, h));
    return s.patch > 1 ? depth_to_space(y, s.patch) : y;
  }

 private:
  void check() const {
    auto const& s = settings_;
    auto const refuse = [](std::string what, std::string found, std::string expected) {
      throw config_error{{.where = "UNet",
                          .what = std::move(what),
                          .found = std::move(found),
                          .expected = std::move(expected),
                          .advice = "Change the setting or the image size."}};
    };
    detail::check_unet("UNet", s);
    require_within("UNet", "channels", s.channels, 2, detail::largest_setting);
    s.time.check(s.channels - s.channels % 2);
    require_within("UNet", "patch", s.patch, 1, 1024);
    if (s.image.rank() != 3) refuse("image", s.image.text(), "(h, w, c)");
    for (auto const extent : s.image)
      require_within("UNet", "extent of the image", extent, 1, detail::largest_setting);
    require_within("UNet", "channels of the image times patch²", s.image[2] * s.patch * s.patch, 1,
                   detail::largest_setting);
    auto const levels = s.multipliers.size();
    auto const factor = s.patch << (levels - 1);
    if (s.image[0] % factor != 0 || s.image[1] % factor != 0)
      refuse("image", s.image.text(),
             "height and width divisible by patch · 2^(levels − 1) = " + number_text(factor));
    detail::check_attention("UNet", s.attention, s.image[0] / s.patch, levels);
    if (s.attention.empty() && s.heads != 1)
      refuse("heads", number_text(s.heads) + " without attention", "1, or heights for attention");
  }

  UNetSettings settings_;
  ParameterTable table_;
  std::vector<Linear> embed_;
  std::vector<Convolution> ends_;
  std::vector<ResidualBlock> down_, middle_, up_;
  std::vector<bool> joins_;
  std::vector<Normalization> norm_;
};

}  // namespace consistency
