#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/network/layer/embedding.hpp>
#include <consistency/network/levels.hpp>
#include <consistency/network/residual_block.hpp>
#include <consistency/network/summary.hpp>

namespace consistency {

/// The defaults are the network for CIFAR-10, 55,732,739 parameters. The papers train it with dropout 0.13.
struct DdpmPpSettings {
  Index channels = 128;                        ///< of the first convolution; even
  std::vector<Index> multipliers = {2, 2, 2};  ///< channels of each level, in units of `channels`
  Index blocks = 4;                            ///< residual blocks per level going down; one more going up
  std::vector<Index> attention = {16};         ///< heights of levels that get self-attention
  Index heads = 1;                             ///< of the attention
  Index groups = 32;                           ///< of the normalisation, each of 4 channels or more
  double dropout = 0;                          ///< rate in [0, 1)
  bool recompute = false;  ///< residual blocks in the backward pass: less memory, longer steps
  Index embedding = 512;   ///< channels of the time embedding; EDM has four times `channels`
  /// EDM's; one given here takes the place of all of it.
  TimeEmbedding time{.endpoint = true, .order = TimeEmbedding::Order::sin_cos};
  Shape image = {32, 32, 3};  ///< (h, w, c)
};

/// DDPM++ (Song et al. 2021, Appendix H; as `ddpmpp` of Karras et al. 2022, Table 7), equal to EDM's program
/// for it, whose names, initial laws and files it has: (n, h, w, c) and times to (n, h, w, c).
class DdpmPp {
 public:
  /// Throws config_error for settings that do not fit each other, naming the numbers.
  explicit DdpmPp(DdpmPpSettings settings = {}) : settings_{std::move(settings)} {
    check();
    auto const& s = settings_;
    constexpr auto law = WeightLaw::xavier_uniform;
    constexpr auto last = 1e-5;
    detail::declare_conventions(table_, s);
    table_.add_foreign({"map_augment.weight", {}});  // meets labels of augmentation, which only training has
    embed_.emplace_back(table_, "map_layer0", s.channels, s.embedding, 1, law);
    embed_.emplace_back(table_, "map_layer1", s.embedding, s.embedding, 1, law);
    ends_.emplace_back(table_, "enc." + size(0) + "_conv", s.image[2], s.channels,
                       Convolution::Settings{.law = law});

    auto channels = s.channels;
    auto const add = [&](auto& path, std::string const& name, Index in, Index out, bool attends,
                         Resampling resampling = Resampling::none) {
      path.emplace_back(table_, name, in, out,
                        ResidualBlock::Settings{.embedding = s.embedding,
                                                .groups = s.groups,
                                                .group_channels = 4,
                                                .epsilon = 1e-6,
                                                .heads = attends ? s.heads : 0,
                                                .flat = true,
                                                .project = true,
                                                .dropout = s.dropout,
                                                .recompute = s.recompute,
                                                .conditioning = Conditioning::add,
                                                .resampling = resampling,
                                                .weights = {law, 1, std::sqrt(0.2), last}});
      channels = out;
      if (resampling != Resampling::none)  // the mean of 2×2 pixels, or one pixel for four
        for (auto const* const layer : {".conv0", ".skip"})
          table_.add_foreign({name + layer + ".resample_filter", 0.25});
    };
    auto const attends = [&](std::size_t level) {
      return std::find(s.attention.begin(), s.attention.end(), s.image[0] >> level) != s.attention.end();
    };
    auto const levels = s.multipliers.size();
    std::vector<Index> skips = {channels};
    for (std::size_t level = 0; level < levels; ++level) {
      auto const prefix = "enc." + size(level);
      if (level > 0) {
        add(down_, prefix + "_down", channels, channels, false, Resampling::down);
        skips.push_back(channels);
      }
      for (Index i = 0; i < s.blocks; ++i) {
        add(down_, prefix + "_block" + number_text(i), channels, s.channels * s.multipliers[level],
            attends(level));
        skips.push_back(channels);
      }
    }
    add(middle_, "dec." + size(levels - 1) + "_in0", channels, channels, true);
    add(middle_, "dec." + size(levels - 1) + "_in1", channels, channels, false);
    for (auto level = levels; level-- > 0;) {
      auto const prefix = "dec." + size(level);
      if (level + 1 < levels) {
        add(up_, prefix + "_up", channels, channels, false, Resampling::up);
        joins_.push_back(false);
      }
      for (Index i = 0; i <= s.blocks; ++i) {
        add(up_, prefix + "_block" + number_text(i), channels + skips.back(),
            s.channels * s.multipliers[level], i == s.blocks && attends(level));
        joins_.push_back(true);
        skips.pop_back();
      }
    }
    norm_.emplace_back(table_, "dec." + size(0) + "_aux_norm", channels,
                       Normalization::Settings{.groups = s.groups, .epsilon = 1e-6, .group_channels = 4});
    ends_.emplace_back(table_, "dec." + size(0) + "_aux_conv", channels, s.image[2],
                       Convolution::Settings{.gain = last, .law = law});
  }

  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers
  DdpmPpSettings const& settings() const noexcept { return settings_; }
  Shape data_shape() const { return settings_.image; }  ///< of one sample

  /// F_θ(x, time): x (n, h, w, c), time is c_noise(t), (n, 1, 1, 1).
  auto operator()(auto const& theta, Value auto const& x, Operand auto const& time,
                  Mode const& mode = {}) const {
    auto const& s = settings_;
    if (x.shape().rank() != 4 || x.shape() != Shape{x.shape()[0], s.image[0], s.image[1], s.image[2]})
      throw shape_error{{.where = "DdpmPp",
                         .what = "input",
                         .found = x.shape().text(),
                         .expected = "(n, h, w, c) with (h, w, c) = " + s.image.text(),
                         .advice = "Images are NHWC, channels last: NCHW data is to be transposed."}};
    auto const features = s.time(time, s.channels);
    auto const embedding = evaluated(silu(embed_[1](theta, silu(embed_[0](theta, features)))));
    auto h = ends_[0](theta, x);
    std::array<decltype(h), detail::most_blocks> skips;
    std::size_t depth = 0;
    skips[depth++] = h;
    for (auto const& block : down_) skips[depth++] = h = block(theta, h, embedding, mode);
    for (auto const& block : middle_) h = block(theta, h, embedding, mode);
    for (std::size_t i = 0; i < up_.size(); ++i) {
      if (joins_[i]) h = concat(h, std::exchange(skips[--depth], {}));
      h = up_[i](theta, h, embedding, mode);
    }
    return ends_[1](theta, norm_[0](theta, h));
  }

 private:
  /// Height and width of a level, as names have them.
  std::string size(std::size_t level) const {
    return number_text(settings_.image[0] >> level) + "x" + number_text(settings_.image[1] >> level);
  }

  void check() const {
    auto const& s = settings_;
    detail::check_unet("DdpmPp", s);
    require_setting(s.channels % 2 == 0, "DdpmPp", "channels", static_cast<double>(s.channels),
                    "an even number");
    s.time.check(s.channels);
    auto const levels = s.multipliers.size();
    auto const factor = Index{1} << (levels - 1);
    if (s.image.rank() != 3 || s.image[0] < 1 || s.image[1] < 1 || s.image[2] < 1 ||
        s.image[0] % factor != 0 || s.image[1] % factor != 0)
      throw config_error{
          {.where = "DdpmPp",
           .what = "image",
           .found = s.image.text(),
           .expected = "(h, w, c), h and w divisible by 2^(levels − 1) = " + number_text(factor),
           .advice = "Take fewer multipliers or another image size."}};
    for (auto const extent : s.image)
      require_within("DdpmPp", "extent of the image", extent, 1, detail::largest_setting);
    detail::check_attention("DdpmPp", s.attention, s.image[0], levels);
  }

  DdpmPpSettings settings_;
  ParameterTable table_;
  std::vector<Linear> embed_;
  std::vector<Convolution> ends_;
  std::vector<ResidualBlock> down_, middle_, up_;
  std::vector<bool> joins_;
  std::vector<Normalization> norm_;
};

}  // namespace consistency
