// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <consistency/io/file.hpp>
#include <consistency/network/adm.hpp>

namespace consistency {

namespace detail {

/// config.json of a UNet2DModel, whose settings are either an ADM's own or must have the value that an ADM
/// has.
class DiffusersConfig {
 public:
  explicit DiffusersConfig(std::filesystem::path const& path) : name_{path.string()} {
    auto const bytes = read_file(path);
    json_ = nlohmann::json::parse(bytes_text(bytes), nullptr, false);
    if (!json_.is_object())
      fail<format_error>(name_, "configuration", "no JSON object", "config.json of a UNet2DModel");
  }

  /// `time_scale`: what a timestep of diffusers is, in units of our times.
  AdmSettings settings(double time_scale) {
    require("_class_name", "UNet2DModel");
    auto const channels = taken<std::vector<Index>>("block_out_channels");
    auto const side = taken<nlohmann::json>("sample_size");
    auto const pair = side.is_array() && side.size() == 2;
    auto const height = whole(pair ? side[0] : side), width = pair ? whole(side[1]) : height;
    if (channels.empty() || channels[0] < 1 || height < 1 || width < 1)
      fail_value("block_out_channels", nlohmann::json(channels), "channels of levels, and a sample_size");
    AdmSettings s{.channels = channels[0],
                  .multipliers = {},
                  .blocks = taken<Index>("layers_per_block"),
                  .attention = {},
                  .head_channels = head_channels(),
                  .middle_attention = taken("add_attention", true),
                  .groups = taken("norm_num_groups", Index{32}),
                  .epsilon = taken("norm_eps", 1e-5),
                  .dropout = taken("dropout", 0.0),
                  .embedding = taken("time_embedding_dim", 4 * channels[0]),
                  .conditioning = taken("resnet_time_scale_shift", std::string{"default"}) == "scale_shift"
                                      ? Conditioning::scale_shift
                                      : Conditioning::add,
                  .time = time(time_scale),
                  .condition = {.features = taken("num_class_embeds", Index{0})},
                  .image = {height, width, taken("in_channels", Index{3})}};
    for (auto const c : channels) {
      if (c % channels[0] != 0)
        fail_value("block_out_channels", nlohmann::json(channels), "multiples of the first");
      s.multipliers.push_back(c / channels[0]);
    }
    take_blocks(s);
    require("out_channels", s.image[2], s.image[2]);
    if (auto const name = taken("act_fn", std::string{"silu"}); name != "silu" && name != "swish")
      fail_value("act_fn", name, R"("silu")");
    for (auto const& [key, value] :
         std::vector<std::pair<char const*, nlohmann::json>>{{"center_input_sample", false},
                                                             {"mid_block_scale_factor", 1},
                                                             {"class_embed_type", nullptr},
                                                             {"mid_block_type", "UNetMidBlock2D"}})
      require(key, value, value);
    if (auto const groups = taken<nlohmann::json>("attn_norm_num_groups", nullptr);
        !groups.is_null() && groups != s.groups)
      fail_value("attn_norm_num_groups", groups, number_text(s.groups) + ", as norm_num_groups");
    for (auto const* const key : {"_diffusers_version", "_name_or_path", "num_train_timesteps"})
      json_.erase(key);  // of no effect
    if (!json_.empty())
      fail_value(json_.begin().key(), json_.begin().value(),
                 "no such setting: nobody knows here what it does");
    return s;
  }

 private:
  [[noreturn]] void fail_value(std::string const& key, nlohmann::json const& found,
                               std::string expected) const {
    fail<format_error>(name_, "setting '" + printable(key) + "'", printable(found.dump().substr(0, 200)),
                       std::move(expected), "Networks of the ADM family are read here (docs/weights.md).");
  }
  Index whole(nlohmann::json const& value) const {
    if (!value.is_number_integer() || value.get<std::int64_t>() > 1 << 20)
      fail_value("sample_size", value, "a whole number");
    return value.get<Index>();
  }
  /// Takes a setting out; one that is missing has the value of diffusers.
  template <class T>
  T taken(char const* key, T const& otherwise) {
    auto const at = json_.find(key);
    if (at == json_.end()) return otherwise;
    auto const value = std::exchange(*at, nullptr);
    json_.erase(key);
    if constexpr (!std::is_same_v<T, nlohmann::json>)
      if (value.is_null()) return otherwise;
    try {
      return value.template get<T>();
    } catch (nlohmann::json::exception const&) {
      fail_value(key, value, "a value of its type");
    }
  }
  template <class T>
  T taken(char const* key) {
    if (!json_.contains(key))
      fail<format_error>(name_, "setting '" + std::string{key} + "'", "nothing", "a value");
    return taken(key, T{});
  }
  /// attention_head_dim; null is one head.
  Index head_channels() {
    auto const found = taken<nlohmann::json>("attention_head_dim", 8);
    if (found.is_null()) return 0;
    if (!found.is_number_integer() || found.get<std::int64_t>() < 1)
      fail_value("attention_head_dim", found, "a whole number from 1, or null for one head");
    return found.get<Index>();
  }
  TimeEmbedding time(double scale) {
    require("time_embedding_type", "positional", "positional");
    auto const shift = taken("freq_shift", 0.0);
    if (shift != 0 && shift != 1) fail_value("freq_shift", shift, "0 or 1");
    return {.scale = scale,
            .endpoint = shift == 1,
            .order = taken("flip_sin_to_cos", true) ? TimeEmbedding::Order::cos_sin
                                                    : TimeEmbedding::Order::sin_cos};
  }
  /// Attention and what is between the levels, by the types of blocks; both ways alike.
  void take_blocks(AdmSettings& s) {
    auto const down = taken<std::vector<std::string>>("down_block_types"),
               up = taken<std::vector<std::string>>("up_block_types");
    auto const by_down = taken("downsample_type", std::string{"conv"}),
               by_up = taken("upsample_type", std::string{"conv"});
    auto const padding = taken("downsample_padding", Index{1});
    auto const levels = s.multipliers.size();
    if (down.size() != levels || up.size() != levels)
      fail_value("down_block_types and up_block_types",
                 number_text(down.size()) + " and " + number_text(up.size()),
                 number_text(levels) + " each, as many as block_out_channels");
    constexpr auto known = "(Attn|Resnet…|)DownBlock2D with its UpBlock2D: attention, or none, on both ways";
    std::vector<bool> by_residual_block;  // of each change of level, down and up
    for (std::size_t level = 0; level < levels; ++level) {
      auto const &going_down = down[level], &going_up = up[levels - 1 - level];
      auto const attends = going_down == "AttnDownBlock2D";
      auto const of_down = attends ? by_down == "resnet" : going_down == "ResnetDownsampleBlock2D";
      auto const of_up = attends ? by_up == "resnet" : going_up == "ResnetUpsampleBlock2D";
      if ((!attends && !of_down && going_down != "DownBlock2D") ||
          (attends ? going_up != "AttnUpBlock2D" : !of_up && going_up != "UpBlock2D"))
        fail_value("down_block_types and up_block_types",
                   std::string{going_down}.append(" and ").append(going_up), known);
      if (attends) s.attention.push_back(s.image[0] >> level);
      if (level + 1 < levels) by_residual_block.push_back(of_down);
      if (level > 0) by_residual_block.push_back(of_up);
    }
    for (auto const residual : by_residual_block)
      if (residual != by_residual_block.front())
        fail_value("down_block_types and up_block_types", nlohmann::json{down, up, by_down, by_up},
                   "one kind of resampling between all levels: by convolutions, or by residual blocks");
    if (padding != 0 && padding != 1) fail_value("downsample_padding", padding, "0 or 1");
    if (by_residual_block.empty() || by_residual_block.front()) return;
    s.change = padding == 0 ? LevelChange::corner_convolution : LevelChange::convolution;
  }
  void require(char const* key, nlohmann::json const& expected, nlohmann::json const& otherwise = nullptr) {
    auto const found = taken<nlohmann::json>(key, otherwise);
    if (found != expected) fail_value(key, found, expected.dump());
  }

  std::string name_;
  nlohmann::json json_;
};

/// config.json of the UNet2DModel that is this network. Throws config_error for a time embedding that it does
/// not have.
inline nlohmann::json diffusers_config(AdmSettings const& s) {
  auto const& time = s.time;
  if (time.kind != TimeEmbedding::Kind::positional)
    fail<config_error>("write_diffusers_unet", "time", time.text(), "a positional embedding");
  auto const residual = s.change == LevelChange::residual_block;
  auto const type = residual ? "resnet" : "conv";
  std::vector<Index> channels;
  std::vector<std::string> down, up;
  for (std::size_t level = 0; level < s.multipliers.size(); ++level) {
    channels.push_back(s.channels * s.multipliers[level]);
    auto const attends = detail::attends(s.attention, s.image[0] >> level);
    down.emplace_back(attends ? "AttnDownBlock2D" : residual ? "ResnetDownsampleBlock2D" : "DownBlock2D");
    up.insert(up.begin(), attends ? "AttnUpBlock2D" : residual ? "ResnetUpsampleBlock2D" : "UpBlock2D");
  }
  auto const side =
      s.image[0] == s.image[1] ? nlohmann::json(s.image[0]) : nlohmann::json{s.image[0], s.image[1]};
  auto config = nlohmann::json{
      {"_class_name", "UNet2DModel"},
      {"sample_size", side},
      {"in_channels", s.image[2]},
      {"out_channels", s.image[2]},
      {"layers_per_block", s.blocks},
      {"block_out_channels", channels},
      {"attention_head_dim", s.head_channels == 0 ? nlohmann::json{} : nlohmann::json(s.head_channels)},
      {"down_block_types", down},
      {"up_block_types", up},
      {"resnet_time_scale_shift", s.conditioning == Conditioning::add ? "default" : "scale_shift"},
      {"norm_num_groups", s.groups},
      {"attn_norm_num_groups", s.groups},
      {"norm_eps", s.epsilon},
      {"dropout", s.dropout},
      {"downsample_type", type},
      {"upsample_type", type},
      {"act_fn", "silu"},
      {"add_attention", s.middle_attention},
      {"center_input_sample", false},
      {"flip_sin_to_cos", time.order == TimeEmbedding::Order::cos_sin},
      {"freq_shift", time.endpoint ? 1 : 0},
      {"mid_block_scale_factor", 1},
      {"time_embedding_type", "positional"}};
  if (s.change == LevelChange::corner_convolution) config["downsample_padding"] = 0;
  if (s.embedding != 4 * s.channels) config["time_embedding_dim"] = s.embedding;
  if (s.condition.features > 0) config["num_class_embeds"] = s.condition.features;
  return config;
}

}  // namespace detail

}  // namespace consistency
