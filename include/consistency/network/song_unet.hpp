// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/network/summary.hpp>
#include <consistency/network/unet_body.hpp>

namespace consistency {

/// The defaults are DDPM++ for CIFAR-10. The papers train it, and NCSN++, with dropout 0.13.
struct SongUNetSettings {
  Index channels = 128;                        ///< of the first convolution; even
  std::vector<Index> multipliers = {2, 2, 2};  ///< channels of each level, in units of `channels`
  Index blocks = 4;                            ///< residual blocks per level going down; one more going up
  std::vector<Index> attention = {16};         ///< heights of levels that get self-attention
  Index heads = 1;                             ///< of the attention
  Index groups = 32;                           ///< of the normalisation, each of 4 channels or more
  double dropout = 0;                          ///< rate in [0, 1)
  bool recompute = false;   ///< residual blocks in the backward pass: less memory, longer steps
  Index embedding = 512;    ///< channels of the time embedding; EDM has four times `channels`
  Index time_channels = 0;  ///< features of the time; 0: `channels`, or twice as many of a Fourier embedding
  /// EDM's; one given here takes the place of all of it.
  TimeEmbedding time{.endpoint = true, .order = TimeEmbedding::Order::sin_cos};
  ResamplingFilter filter = ResamplingFilter::box;
  bool pyramid = false;  ///< the image, smaller at each level, is added in on the way down
  ConditionSettings
      condition{};            ///< class labels, as EDM's label_dim; augmentation labels, as its augment_dim
  Shape image = {32, 32, 3};  ///< (h, w, c)

  /// 55,732,739 parameters.
  static SongUNetSettings ddpmpp() { return {}; }
  /// 56,395,651 parameters, the 128 frequencies of the time embedding among them.
  static SongUNetSettings ncsnpp() {
    return {
        .time = {.kind = TimeEmbedding::Kind::fourier, .scale = 16, .order = TimeEmbedding::Order::sin_cos},
        .filter = ResamplingFilter::binomial,
        .pyramid = true};
  }
};

/// DDPM++ and NCSN++ (Song et al. 2021, Appendix H; as `ddpmpp` and `ncsnpp` of Karras et al. 2022, Table 7),
/// equal to EDM's program SongUNet, whose names, initial distributions and files it has: (n, h, w, c) and
/// times to (n, h, w, c).
class SongUNet {
 public:
  /// Throws config_error for settings that do not fit each other, naming the numbers.
  explicit SongUNet(SongUNetSettings settings = {})
      : settings_{checked(std::move(settings))}, body_{settings_, Layers{table_, settings_}, 2} {
    detail::declare_conventions(table_, settings_);
    if (settings_.filter == ResamplingFilter::binomial || settings_.pyramid)
      table_.add_convention(
          {"resampling",
           std::string{settings_.filter == ResamplingFilter::binomial ? "binomial" : "box"} +
               (settings_.pyramid ? ", pyramid" : ""),
           "box"});
    if (settings_.condition.labels == 0)
      table_.add_foreign({"map_augment.weight", {}});  // only training needs it
  }

  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers
  SongUNetSettings const& settings() const noexcept { return settings_; }
  Shape data_shape() const { return settings_.image; }  ///< of one sample

  /// F_θ(x, conditions): x (n, h, w, c), the time is c_noise(t), (n, 1, 1, 1).
  auto operator()(auto const& theta, Value auto const& x, auto const& at, Mode const& mode = {}) const {
    detail::require_images("SongUNet", x.shape(), settings_.image);
    return body_(theta, x, at, mode);  // (n, h, w, c)
  }

 private:
  struct Layers {
    static constexpr auto xavier = WeightDistribution::xavier_uniform;
    static constexpr auto last_gain = 1e-5;

    ParameterTable& table;
    SongUNetSettings const& s;

    ConditionEmbedding conditions() const {
      return {
          table,       {.condition = "map_label", .labels = "map_augment", .frequencies = "map_noise.freqs"},
          s.time,      s.time_channels,
          s.condition, xavier};
    }
    Linear embed_hidden() const { return {table, "map_layer0", s.time_channels, s.embedding, 1, xavier}; }
    Linear embed() const { return {table, "map_layer1", s.embedding, s.embedding, 1, xavier}; }
    Convolution first() const {
      return {table, "enc." + size(0) + "_conv", s.image[2], s.channels, {.distribution = xavier}};
    }
    ResidualBlock block(UNetPlace const& at, Index in, Index out) const {
      auto const name = name_of(at);
      if (at.resampling != Resampling::none)
        for (auto const* const layer : {".conv0", ".skip"}) add_filter(name + layer);
      return {
          table, name, in, out,
          ResidualBlockSettings{
              .embedding = s.embedding,
              .groups = s.groups,
              .group_channels = 4,
              .epsilon = 1e-6,
              .heads = attends(at) ? s.heads : 0,
              .edm_attention = true,
              .project_resampled = true,
              .dropout = s.dropout,
              .recompute = s.recompute,
              .conditioning = Conditioning::add,
              .resampling = at.resampling,
              .filter = s.filter,
              .weights = {.distribution = xavier, .affine = 1, .qkv = std::sqrt(0.2), .last = last_gain}}};
    }
    bool has_pyramid() const { return s.pyramid; }
    StridedConvolution pyramid(std::size_t level, Index in, Index out) const {
      auto const name = "enc." + size(level) + "_aux_residual";
      add_filter(name);
      return {table, name, in == 0 ? s.image[2] : in, out, Stride2::filtered, {.distribution = xavier}};
    }
    Normalization norm(Index channels) const {
      return {table,
              "dec." + size(0) + "_aux_norm",
              channels,
              {.groups = s.groups, .epsilon = 1e-6, .group_channels = 4}};
    }
    Convolution last(Index channels) const {
      return {table,
              "dec." + size(0) + "_aux_conv",
              channels,
              s.image[2],
              {.gain = last_gain, .distribution = xavier}};
    }

   private:
    using Path = UNetPlace::Path;

    /// EDM's constant: the mean of 2×2 pixels or one pixel for four, or (1, 3, 3, 1) / 8 along both axes.
    void add_filter(std::string const& layer) const {
      auto const name = layer + ".resample_filter";
      if (s.filter == ResamplingFilter::box) return table.add_foreign({name, 0.25});
      table.add_foreign({name, {}});
    }

    /// Going down all blocks of a level attend, going up the last alone, and in the middle the first.
    bool attends(UNetPlace const& at) const {
      if (at.path == Path::middle) return at.block == 0;
      return at.resampling == Resampling::none && (at.path == Path::down || at.block == s.blocks) &&
             detail::attends(s.attention, s.image[0] >> at.level);
    }
    std::string name_of(UNetPlace const& at) const {
      auto const level = (at.path == Path::down ? "enc." : "dec.") + size(at.level);
      if (at.resampling == Resampling::down) return level + "_down";
      if (at.resampling == Resampling::up) return level + "_up";
      return level + (at.path == Path::middle ? "_in" : "_block") + number_text(at.block);
    }
    /// Height and width of a level, as names have them.
    std::string size(std::size_t level) const {
      return number_text(s.image[0] >> level) + "x" + number_text(s.image[1] >> level);
    }
  };

  static SongUNetSettings checked(SongUNetSettings s) {
    detail::check_unet("SongUNet", s);
    require_setting(s.channels % 2 == 0, "SongUNet", "channels", static_cast<double>(s.channels),
                    "an even number");
    if (s.time_channels == 0)
      s.time_channels = s.time.kind == TimeEmbedding::Kind::fourier ? 2 * s.channels : s.channels;
    s.time.check(s.time_channels);
    if (s.pyramid && s.filter != ResamplingFilter::binomial)
      fail<config_error>("SongUNet", "filter with a pyramid", "box", "ResamplingFilter::binomial",
                         "NCSN++ has both: SongUNetSettings::ncsnpp().");
    auto const levels = s.multipliers.size();
    auto const factor = Index{1} << (levels - 1);
    if (s.image.rank() != 3 || s.image[0] < 1 || s.image[1] < 1 || s.image[2] < 1 ||
        s.image[0] % factor != 0 || s.image[1] % factor != 0)
      fail<config_error>("SongUNet", "image", s.image.text(),
                         "(h, w, c), h and w divisible by 2^(levels − 1) = " + number_text(factor),
                         "Take fewer multipliers or another image size.");
    for (auto const extent : s.image)
      require_within("SongUNet", "extent of the image", extent, 1, detail::largest_setting);
    detail::check_attention("SongUNet", s.attention, s.image[0], levels);
    return s;
  }

  SongUNetSettings settings_;
  ParameterTable table_;
  UNetBody body_;
};

}  // namespace consistency
