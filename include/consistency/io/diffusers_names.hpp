// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/io/adm_names.hpp>

namespace consistency {

/// What diffusers calls q, k, v and the projection behind attention.
enum class DiffusersAttention : std::uint8_t {
  to_q,  ///< to_q, to_k, to_v, to_out.0
  query  ///< query, key, value, proj_attn: files of its first versions
};

/// Where the parameters of an ADM stand in a UNet2DModel of diffusers: q, k and v apart. Throws config_error
/// for a network that it does not have.
inline NameMap diffusers_names(Adm const& net, DiffusersAttention attention = DiffusersAttention::to_q) {
  auto const first_versions = attention == DiffusersAttention::query;
  auto const& s = net.settings();
  detail::require_groups("diffusers_names", s);
  auto const last = static_cast<Index>(s.multipliers.size()) - 1;
  detail::LayerMap map{
      {{"map_layer0", "time_embedding.linear_1"},
       {"map_layer1", "time_embedding.linear_2"},
       {"map_label", "class_embedding"},
       {"enc." + number_text(s.image[0]) + "x" + number_text(s.image[1]) + "_conv", "conv_in"},
       {"out_norm", "conv_norm_out"},
       {"out_conv", "conv_out"}},
      {}};
  detail::for_adm_blocks(s, [&](std::string const& name, std::size_t on, char place, Index block) {
    auto const level = static_cast<Index>(on);
    auto const in = [&](std::string const& part) {
      return std::pair{part + ".resnets." + number_text(block), part + ".attentions." + number_text(block)};
    };
    auto& theirs = map.blocks[name];
    if (place == 'd') theirs = in("down_blocks." + number_text(level));
    if (place == 's') theirs = {"down_blocks." + number_text(level - 1) + ".downsamplers.0", ""};
    if (place == 'm') theirs = in("mid_block");
    if (place == 'u') theirs = in("up_blocks." + number_text(last - level));
    if (place == 'l') theirs = {"up_blocks." + number_text(last - level - 1) + ".upsamplers.0", ""};
    if (s.change != LevelChange::residual_block && (place == 's' || place == 'l')) {
      map.layers[name] = theirs.first + ".conv";
      map.blocks.erase(name);
    }
  });
  auto names = map.names(net.parameters(),
                         {{{{"norm0", "norm1"},
                            {"conv0", "conv1"},
                            {"affine", "time_emb_proj"},
                            {"norm1", "norm2"},
                            {"conv1", "conv2"},
                            {"skip", "conv_shortcut"}}},
                          {{{"norm2", "group_norm"},
                            {"qkv", first_versions ? "query" : "to_q"},
                            {"proj", first_versions ? "proj_attn" : "to_out.0"}}},
                          {"skip"}},
                         "diffusers_names",
                         first_versions ? std::vector<std::string_view>{"query", "key", "value"}
                                        : std::vector<std::string_view>{"to_q", "to_k", "to_v"});
  for (auto& source : names)
    if (source.names.front() == "class_embedding.weight") source.layout = Layout::as_here;
  return names;
}

}  // namespace consistency
