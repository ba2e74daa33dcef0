// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/network/summary.hpp>
#include <consistency/network/unet_body.hpp>

namespace consistency {

/// What halves and doubles images between the levels of an ADM.
enum class LevelChange : std::uint8_t {
  residual_block,     ///< a residual block around the mean of 2×2 pixels, or one pixel for four
  convolution,        ///< a convolution of stride 2, centred, or one after one pixel for four
  corner_convolution  ///< the same, that of stride 2 from the corner, as in DDPM's program (Ho et al. 2020)
};

/// The defaults are the network for ImageNet 64×64 without classes, whose labels are `.condition = {.features
/// = 1000}`: 295,899,267 parameters. Its teachers were trained with dropout 0.1.
struct AdmSettings {
  Index channels = 192;                           ///< of the first convolution; even
  std::vector<Index> multipliers = {1, 2, 3, 4};  ///< channels of each level, in units of `channels`; 1 first
  Index blocks = 3;                               ///< residual blocks per level going down; one more going up
  std::vector<Index> attention = {32, 16, 8};     ///< heights of levels that get self-attention
  Index head_channels = 64;                       ///< of each head of the attention; 0: one head
  bool middle_attention = true;                   ///< between the two blocks in the middle
  Index groups = 32;                              ///< of the normalisation, each of 4 channels or more
  double epsilon = 1e-5;                          ///< of the normalisation
  double dropout = 0;                             ///< rate in [0, 1)
  bool recompute = false;  ///< residual blocks in the backward pass: less memory, longer steps
  Index embedding = 768;   ///< channels of the time embedding: four times `channels`
  Conditioning conditioning = Conditioning::scale_shift;  ///< `add` for LSUN 256×256
  LevelChange change = LevelChange::residual_block;
  TimeEmbedding time{};
  ConditionSettings condition{};  ///< class labels
  Shape image = {64, 64, 3};      ///< (h, w, c)

  /// That of LSUN 256×256: 526,304,771 parameters.
  static AdmSettings lsun256() {
    return {.channels = 256,
            .multipliers = {1, 1, 2, 2, 4, 4},
            .blocks = 2,
            .embedding = 1024,
            .conditioning = Conditioning::add,
            .image = {256, 256, 3}};
  }
  /// DDPM's for CIFAR-10 (Ho et al. 2020), from whose ablation ADM comes, at its time steps 0, 1, …:
  /// 35,746,307 parameters.
  static AdmSettings ddpm() {
    return {.channels = 128,
            .multipliers = {1, 2, 2, 2},
            .blocks = 2,
            .attention = {16},
            .head_channels = 0,
            .epsilon = 1e-6,
            .embedding = 512,
            .conditioning = Conditioning::add,
            .change = LevelChange::corner_convolution,
            .time = {.endpoint = true, .order = TimeEmbedding::Order::sin_cos},
            .image = {32, 32, 3}};
  }
};

/// ADM and the U-Nets of its ablations (Dhariwal & Nichol 2021; as `adm` of Karras et al. 2022, Table 7),
/// with the defaults equal to EDM's program for it, whose names, initial distributions and files it has: (n,
/// h, w, c) and times to (n, h, w, c).
class Adm {
 public:
  /// Throws config_error for settings that do not fit each other, naming the numbers.
  explicit Adm(AdmSettings settings = {})
      : settings_{checked(std::move(settings))}, body_{settings_, Layers{table_, settings_}, 2} {
    settings_.time.declare(table_);
    table_.add_convention({"groups", number_text(settings_.groups), number_text(settings_.groups)});
    table_.add_convention(
        {"head_channels", number_text(settings_.head_channels), number_text(settings_.head_channels)});
    if (settings_.epsilon != AdmSettings{}.epsilon)
      table_.add_convention({"epsilon", number_text(settings_.epsilon), number_text(AdmSettings{}.epsilon)});
    if (settings_.change == LevelChange::corner_convolution)
      table_.add_convention({"resampling", "corner_convolution", "convolution"});
    if (settings_.condition.labels == 0)
      table_.add_foreign({"map_augment.weight", {}});  // only training needs it
  }

  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers
  AdmSettings const& settings() const noexcept { return settings_; }
  Shape data_shape() const { return settings_.image; }  ///< of one sample

  /// F_θ(x, conditions): x (n, h, w, c), the time is c_noise(t), (n, 1, 1, 1).
  auto operator()(auto const& theta, Value auto const& x, auto const& at, Mode const& mode = {}) const {
    detail::require_images("Adm", x.shape(), settings_.image);
    return body_(theta, x, at, mode);  // (n, h, w, c)
  }

 private:
  struct Layers {
    static constexpr auto distribution = WeightDistribution::torch;

    ParameterTable& table;
    AdmSettings const& s;

    Linear embed_hidden() const { return {table, "map_layer0", s.channels, s.embedding, 1, distribution}; }
    Linear embed() const { return {table, "map_layer1", s.embedding, s.embedding, 1, distribution}; }
    ConditionEmbedding conditions() const {
      return {table,       {.condition = "map_label", .labels = "map_augment"},
              s.time,      s.channels,
              s.condition, s.embedding};
    }
    Convolution first() const {
      return {table, "enc." + size(0) + "_conv", s.image[2], s.channels, {.distribution = distribution}};
    }
    UNetBlock block(UNetPlace const& at, Index in, Index out) const {
      auto const name = name_of(at);
      if (at.resampling != Resampling::none && s.change != LevelChange::residual_block) {
        auto const weights = ConvolutionSettings{.distribution = distribution};
        if (at.resampling == Resampling::up) return Convolution{table, name, in, out, weights};
        auto const kind = s.change == LevelChange::convolution ? Stride2::centred : Stride2::from_corner;
        return StridedConvolution{table, name, in, out, kind, weights};
      }
      if (at.resampling != Resampling::none)  // the mean of 2×2 pixels, or one pixel for four
        for (auto const* const layer : {".conv0", ".skip"})
          table.add_foreign({name + layer + ".resample_filter", 0.25});
      auto const heads = s.head_channels == 0 ? 1 : out / s.head_channels;
      return ResidualBlock{
          table, name, in, out,
          ResidualBlockSettings{.embedding = s.embedding,
                                .groups = s.groups,
                                .group_channels = 4,
                                .epsilon = s.epsilon,
                                .heads = attends(at) ? heads : 0,
                                .edm_attention = true,
                                .residual_scale = 1,
                                .dropout = s.dropout,
                                .recompute = s.recompute,
                                .conditioning = s.conditioning,
                                .resampling = at.resampling,
                                .weights = {.distribution = distribution, .affine = 1, .qkv = 1, .last = 0}}};
    }
    Normalization norm(Index channels) const {
      return {table, "out_norm", channels, {.groups = s.groups, .epsilon = s.epsilon, .group_channels = 4}};
    }
    Convolution last(Index channels) const {
      return {table, "out_conv", channels, s.image[2], {.gain = 0, .distribution = distribution}};
    }

   private:
    using Path = UNetPlace::Path;

    /// All blocks of a level attend that do not resample, and in the middle the first.
    bool attends(UNetPlace const& at) const {
      if (at.path == Path::middle) return at.block == 0 && s.middle_attention;
      return at.resampling == Resampling::none && detail::attends(s.attention, s.image[0] >> at.level);
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

  static AdmSettings checked(AdmSettings s) {
    detail::check_unet("Adm", s);
    require_setting(s.channels % 2 == 0, "Adm", "channels", static_cast<double>(s.channels),
                    "an even number");
    require_within("Adm", "head_channels", s.head_channels, 0, detail::largest_setting);
    require_setting(s.multipliers[0] == 1, "Adm", "first multiplier", static_cast<double>(s.multipliers[0]),
                    "1");
    s.time.check(s.channels);
    auto const levels = s.multipliers.size();
    auto const factor = Index{1} << (levels - 1);
    if (s.image.rank() != 3 || s.image[0] < 1 || s.image[1] < 1 || s.image[2] < 1 ||
        s.image[0] % factor != 0 || s.image[1] % factor != 0)
      fail<config_error>("Adm", "image", s.image.text(),
                         "(h, w, c), h and w divisible by 2^(levels − 1) = " + number_text(factor),
                         "Take fewer multipliers or another image size.");
    for (auto const extent : s.image)
      require_within("Adm", "extent of the image", extent, 1, detail::largest_setting);
    detail::check_attention("Adm", s.attention, s.image[0], levels);
    for (std::size_t level = 0; level < levels; ++level) {
      auto const channels = s.channels * s.multipliers[level];
      auto const attends =
          (level + 1 == levels && s.middle_attention) || detail::attends(s.attention, s.image[0] >> level);
      if (attends && s.head_channels > 0 && channels % s.head_channels != 0)
        fail<config_error>("Adm", "head_channels",
                           number_text(s.head_channels) + " for " + number_text(channels) + " channels",
                           "a divisor of the channels of every level with attention, and of the last");
    }
    return s;
  }

  AdmSettings settings_;
  ParameterTable table_;
  UNetBody body_;
};

}  // namespace consistency
