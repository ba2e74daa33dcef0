// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/io/parameter_source.hpp>
#include <consistency/network/song_unet.hpp>

namespace consistency {

/// Where the parameters of an NCSN++ stand in those of OpenAI's consistency_models_cifar10 (flax), with paths
/// joined by "/": modules are numbered in the order of the walk, axes are ordered as here, q, k and v are
/// apart. Throws config_error for a network with classes or labels of augmentation, or without its pyramid.
inline NameMap flax_names(SongUNet const& net) {
  static std::map<std::string_view, std::string_view> const parts = {
      {"norm0", "GroupNorm_0"}, {"conv0", "Conv_0"}, {"affine", "Dense_0"},    {"norm1", "GroupNorm_1"},
      {"conv1", "Conv_1"},      {"skip", "Conv_2"},  {"norm2", "GroupNorm_0"}, {"proj", "NIN_3"}};
  std::map<std::string, Index, std::less<>> blocks, attentions;  // numbers of those that were met
  Index pyramids = 0;
  auto const number_of = [](auto& numbers, std::string const& block) {
    return number_text(numbers.emplace(block, static_cast<Index>(numbers.size())).first->second);
  };
  NameMap all;
  for (auto const& entry : net.parameters().entries()) {
    auto const dot = entry.name.rfind('.');
    auto const layer = entry.name.substr(0, dot);
    auto const bias = entry.name.substr(dot) == ".bias", vector = entry.shape.rank() == 1;
    auto const last = layer.rfind('.');
    auto const block = last == std::string::npos ? std::string{} : layer.substr(0, last);
    auto const part = std::string_view{layer}.substr(last == std::string::npos ? 0 : last + 1);
    auto const leaf = [&](std::string const& module) {
      return module + (bias ? "/bias" : vector ? "/scale" : "/kernel");
    };
    auto const nin = [&](std::string const& module) { return module + (bias ? "/b" : "/W"); };
    ParameterSource source{{}, Layout::as_here, 1};
    auto const in_block = block.find('.') != std::string::npos;
    if (entry.name == "map_noise.freqs") {
      source.names = {"GaussianFourierProjection_0/W"};
    } else if (layer == "map_layer0" || layer == "map_layer1") {
      source.names = {leaf(layer == "map_layer0" ? "Dense_0" : "Dense_1")};
    } else if (layer.ends_with("_aux_residual")) {
      source.names = {"Downsample_" + number_text(pyramids) + "/Conv2d_0/" + (bias ? "bias" : "weight")};
      if (bias) ++pyramids;
    } else if (layer.ends_with("_aux_norm")) {
      source.names = {leaf("GroupNorm_0")};
    } else if (layer.ends_with("_aux_conv")) {
      source.names = {leaf("Conv_1")};
    } else if (!in_block && layer.ends_with("_conv")) {
      source.names = {leaf("Conv_0")};
    } else if (part == "norm2" || part == "qkv" || part == "proj") {
      auto const attention = "AttnBlockpp_" + number_of(attentions, block) + "/";
      if (part == "norm2")
        source.names = {leaf(attention + "GroupNorm_0")};
      else if (part == "proj")
        source.names = {nin(attention + "NIN_3")};
      else
        for (auto const* const q : {"NIN_0", "NIN_1", "NIN_2"}) source.names.push_back(nin(attention + q));
    } else if (auto const at = parts.find(part); in_block && at != parts.end()) {
      source.pixelwise = part == "skip" && !bias;
      source.names = {
          leaf("ResnetBlockBigGANpp_" + number_of(blocks, block) + "/" + std::string{at->second})};
    }
    if (source.names.empty())
      fail<config_error>("flax_names", "parameter", entry.name, "one that NCSN++ of that program has",
                         "Construct the network by SongUNetSettings::ncsnpp(), without classes or labels.");
    all.push_back(std::move(source));
  }
  return all;
}

}  // namespace consistency
