// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>

#include <consistency/io/adm_names.hpp>

namespace consistency {

/// Where the parameters of an ADM stand in a state dict of OpenAI's consistency_models (and
/// guided-diffusion): q, k and v follow each other, head by head; class vectors are an embedding. Its times
/// are 1000 times c_noise: construct the network with `.time = {.scale = 1000}`. Throws config_error for a
/// network with labels of augmentation, with too few channels for its groups, or with convolutions from the
/// corner.
inline NameMap openai_names(Adm const& net) {
  auto const& s = net.settings();
  detail::require_groups("openai_names", s);
  if (s.change == LevelChange::corner_convolution)
    fail<config_error>("openai_names", "change", "LevelChange::corner_convolution",
                       "LevelChange::residual_block or convolution");
  auto const by_convolution = s.change == LevelChange::convolution;
  detail::LayerMap map{
      {{"map_layer0", "time_embed.0"},
       {"map_layer1", "time_embed.2"},
       {"map_label", "label_emb"},
       {"enc." + number_text(s.image[0]) + "x" + number_text(s.image[1]) + "_conv", "input_blocks.0.0"},
       {"out_norm", "out.0"},
       {"out_conv", "out.2"}},
      {}};
  Index input = 1, output = 0;
  auto before_attends = false;
  detail::for_adm_blocks(s, [&](std::string const& name, std::size_t, char place, Index block) {
    auto const in = [&](std::string const& at) { return std::pair{at + ".0", at + ".1"}; };
    auto const behind = "output_blocks." + number_text(output - 1) + (before_attends ? ".2" : ".1");
    if (by_convolution && place == 's')
      map.layers[name] = "input_blocks." + number_text(input++) + ".0.op";
    else if (by_convolution && place == 'l')
      map.layers[name] = behind + ".conv";
    else if (place == 'd' || place == 's')
      map.blocks[name] = in("input_blocks." + number_text(input++));
    else if (place == 'm')
      map.blocks[name] = {"middle_block." + number_text(2 * block), "middle_block.1"};
    else if (place == 'u')
      map.blocks[name] = in("output_blocks." + number_text(output++));
    else  // behind the block before and its attention
      map.blocks[name] = {behind, ""};
    before_attends = net.parameters().find(name + ".qkv.weight").has_value();
  });
  auto names = map.names(net.parameters(),
                         {{{{"norm0", "in_layers.0"},
                            {"conv0", "in_layers.2"},
                            {"affine", "emb_layers.1"},
                            {"norm1", "out_layers.0"},
                            {"conv1", "out_layers.3"},
                            {"skip", "skip_connection"}}},
                          {{{"norm2", "norm"}, {"qkv", "qkv"}, {"proj", "proj_out"}}},
                          {"skip", "qkv", "proj"}},
                         "openai_names");
  for (auto& source : names)
    if (source.names.front() == "label_emb.weight") source.layout = Layout::as_here;
  return names;
}

}  // namespace consistency
