// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <consistency/network/conditional_block1d.hpp>
#include <consistency/network/layer/condition_embedding.hpp>
#include <consistency/network/layer/transposed_convolution1d.hpp>
#include <consistency/network/summary.hpp>

namespace consistency {

struct ConditionalUNet1dSettings {
  Index horizon = 16;                         ///< places of a line: actions of a chunk
  Index dimensions = 2;                       ///< numbers of an action
  std::vector<Index> widths = {32, 64};       ///< channels of each level, which has half as many places
  Index kernel = 5;                           ///< of the blocks' convolutions, odd
  Index groups = 8;                           ///< of the normalisations
  Index embedding = 32;                       ///< channels of the time embedding
  Modulation modulation = Modulation::scale;  ///< one_plus_scale and bias are not as published
  double dropout = 0;  ///< behind each block's modulated half and its sum; as published, 0
  TimeEmbedding time{.endpoint = true, .order = TimeEmbedding::Order::sin_cos};
  ConditionSettings condition{};  ///< observations as they are: its features stand beside the time's

  /// Chi et al. 2023 for Push-T, two observations of 5 numbers: 65,353,218 parameters.
  static ConditionalUNet1dSettings push_t_state() { return published({256, 512, 1024}, 256, 10); }
  /// Of 20 numbers: 65,783,298.
  static ConditionalUNet1dSettings push_t_keypoints() { return published({256, 512, 1024}, 256, 40); }
  /// Of a camera's 64 features and a place: 251,511,938, those of the camera's network aside.
  static ConditionalUNet1dSettings push_t_image() { return published({512, 1024, 2048}, 128, 132); }

 private:
  static ConditionalUNet1dSettings published(std::vector<Index> widths, Index embedding, Index features) {
    return {.widths = std::move(widths), .embedding = embedding, .condition = {.features = features}};
  }
};

/// The conditional 1-D U-Net of diffusion policies (Janner et al. 2022; Chi et al. 2023): action chunks
/// (n, horizon, dimensions) and times to the same, given observations (n, k). The names of its parameters are
/// those of real-stanford/diffusion_policy; as there, the way up has one level less than the way down, so
/// that nobody reads what the first level gave.
class ConditionalUNet1d {
 public:
  /// Throws config_error for settings that do not fit each other, naming the numbers.
  explicit ConditionalUNet1d(ConditionalUNet1dSettings settings = {})
      : settings_{checked(std::move(settings))},
        times_{table_,
               {},
               settings_.time,
               settings_.embedding,
               {.second_time = settings_.condition.second_time}},
        hidden_{table_, "diffusion_step_encoder.1", settings_.embedding, 4 * settings_.embedding, 1, torch},
        time_{table_, "diffusion_step_encoder.3", 4 * settings_.embedding, settings_.embedding, 1, torch} {
    settings_.time.declare(table_);
    ConditionSettings{.features = settings_.condition.features, .null = settings_.condition.null}.declare(
        table_);
    table_.add_convention({"modulation", text(settings_.modulation), text(Modulation::scale)});
    table_.add_convention({"groups", number_text(settings_.groups), number_text(settings_.groups)});
    auto const& widths = settings_.widths;
    auto const levels = widths.size();
    auto in = settings_.dimensions;
    for (std::size_t level = 0; level < levels; ++level) {
      auto const name = "down_modules." + number_text(level);
      add(down_, name + ".0", in, widths[level]);
      add(down_, name + ".1", widths[level], widths[level]);
      in = widths[level];
      if (level + 1 < levels)
        smaller_.emplace_back(table_, name + ".2.conv", in, in,
                              ConvolutionSettings{.stride = 2, .distribution = torch});
    }
    for (Index i = 0; i < 2; ++i) add(middle_, "mid_modules." + number_text(i), in, in);
    for (auto level = levels - 1; level > 0; --level) {
      auto const name = "up_modules." + number_text(levels - 1 - level);
      auto const out = widths[level - 1];
      add(up_, name + ".0", 2 * widths[level], out);
      add(up_, name + ".1", out, out);
      larger_.emplace_back(table_, name + ".2.conv", out, out, torch);
    }
    last_.emplace(table_, "final_conv.0", widths[0], widths[0], settings_.kernel, 8);  // whatever the blocks'
    out_.emplace(table_, "final_conv.1", widths[0], settings_.dimensions,
                 ConvolutionSettings{.kernel = 1, .distribution = torch});
  }

  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers
  ConditionalUNet1dSettings const& settings() const noexcept { return settings_; }
  Shape data_shape() const { return {settings_.horizon, settings_.dimensions}; }  ///< of one sample

  /// F_θ(x, conditions) with x (n, horizon, dimensions); the time is c_noise(t), (n, 1, 1).
  auto operator()(auto const& theta, Value auto const& x, auto const& at, Mode const& mode = {}) const {
    auto const n = x.shape()[0], horizon = settings_.horizon, dimensions = settings_.dimensions;
    if (x.shape() != Shape{n, horizon, dimensions})
      fail<shape_error>("ConditionalUNet1d", "input", x.shape().text(),
                        "(n, horizon, dimensions) with (horizon, dimensions) = " + data_shape().text());
    auto const c = context(theta, at);                                                      // (n, e + k)
    auto h = down_[0](theta, evaluated(reshape(x, {n, 1, horizon, dimensions})), c, mode);  // (n, 1, t, w)
    std::vector<decltype(h)> skips;
    for (std::size_t level = 0; level < settings_.widths.size(); ++level) {
      if (level > 0) h = down_[2 * level](theta, smaller_[level - 1](theta, h), c, mode);
      skips.push_back(h = down_[2 * level + 1](theta, h, c, mode));  // (n, 1, t / 2^level, w)
    }
    for (auto const& block : middle_) h = block(theta, h, c, mode);
    for (std::size_t i = 0; i < larger_.size(); ++i) {
      h = concat(h, std::exchange(skips[skips.size() - 1 - i], {}));  // (n, 1, t / 2^level, 2 w)
      h = up_[2 * i + 1](theta, up_[2 * i](theta, h, c, mode), c, mode);
      h = larger_[i](theta, h);  // (n, 1, t / 2^(level − 1), w')
    }
    return reshape((*out_)(theta, mish((*last_)(theta, h))), x.shape());  // (n, horizon, dimensions)
  }

 private:
  static constexpr auto torch = WeightDistribution::torch;

  static char const* text(Modulation kind) {
    return kind == Modulation::scale ? "scale" : kind == Modulation::bias ? "bias" : "one_plus_scale";
  }

  void add(std::vector<ConditionalBlock1d>& blocks, std::string const& name, Index in, Index out) {
    auto const& s = settings_;
    blocks.emplace_back(table_, name, in, out,
                        ConditionalBlock1dSettings{.condition = s.embedding + s.condition.features,
                                                   .kernel = s.kernel,
                                                   .groups = s.groups,
                                                   .modulation = s.modulation,
                                                   .dropout = s.dropout});
  }

  /// What every block is modulated by: Mish of the time's features and the observations, (n, e + k).
  auto context(auto const& theta, auto const& beside_x) const {
    auto const& at = conditions_of(beside_x);
    settings_.condition.labelled(at.condition.width());
    Conditions const times{at.time, std::remove_cvref_t<decltype(at.condition)>{}, at.end};
    return times_(theta, times, [&](auto const& features) {                       // (n, e)
      auto const time = time_(theta, evaluated(mish(hidden_(theta, features))));  // (n, e)
      if (!at.condition.defined()) return evaluated(mish(time));
      return evaluated(mish(concat(time, at.condition.features())));
    });
  }

  static ConditionalUNet1dSettings checked(ConditionalUNet1dSettings s) {
    constexpr auto where = "ConditionalUNet1d";
    constexpr auto most = Index{1} << 20U;
    auto const levels = static_cast<Index>(s.widths.size());
    require_within(where, "levels", levels, 1, 16);
    require_within(where, "horizon", s.horizon, 1, most);
    require_within(where, "dimensions", s.dimensions, 1, most);
    require_within(where, "embedding", s.embedding, 4, most / 4);
    for (auto const width : s.widths) require_within(where, "width", width, 1, most / 2);
    s.time.check(s.embedding);
    s.condition.check(where);
    require_within(where, "labels of the condition", s.condition.labels, 0, 0);
    if (auto const factor = Index{1} << (levels - 1); s.horizon % factor != 0)
      fail<config_error>(where, "horizon", number_text(s.horizon),
                         "a multiple of 2^(levels − 1) = " + number_text(factor),
                         "Change the horizon or the number of widths.");
    return s;
  }

  ConditionalUNet1dSettings settings_;
  ParameterTable table_;
  ConditionEmbedding times_;
  Linear hidden_, time_;
  std::vector<ConditionalBlock1d> down_, middle_, up_;
  std::vector<Convolution1d> smaller_;
  std::vector<TransposedConvolution1d> larger_;
  std::optional<ConvolutionBlock1d> last_;
  std::optional<Convolution1d> out_;
};

}  // namespace consistency
