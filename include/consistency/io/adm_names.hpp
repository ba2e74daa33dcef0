// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/io/parameter_source.hpp>
#include <consistency/network/adm.hpp>

namespace consistency {

namespace detail {

/// The names that another program gives to the parts of a residual block, and to those of its attention.
struct BlockNames {
  std::array<std::pair<std::string_view, std::string_view>, 6> block;      ///< ours, theirs
  std::array<std::pair<std::string_view, std::string_view>, 3> attention;  ///< norm2, qkv, proj
  std::vector<std::string_view> pixelwise;                                 ///< ours
};

/// The residual blocks of an ADM, by our names, in the order of the walk: visit(name, level, place, block)
/// with place 'd' down, 's' to a smaller level, 'm' middle, 'u' up, 'l' to a larger level.
void for_adm_blocks(AdmSettings const& s, auto const& visit) {
  auto const size = [&](std::size_t level) {
    return number_text(s.image[0] >> level) + "x" + number_text(s.image[1] >> level);
  };
  auto const levels = s.multipliers.size();
  for (std::size_t level = 0; level < levels; ++level) {
    if (level > 0) visit("enc." + size(level) + "_down", level, 's', Index{0});
    for (Index i = 0; i < s.blocks; ++i)
      visit("enc." + size(level) + "_block" + number_text(i), level, 'd', i);
  }
  for (Index i = 0; i < 2; ++i) visit("dec." + size(levels - 1) + "_in" + number_text(i), levels - 1, 'm', i);
  for (auto level = levels; level-- > 0;) {
    if (level + 1 < levels) visit("dec." + size(level) + "_up", level, 'l', Index{0});
    for (Index i = 0; i <= s.blocks; ++i)
      visit("dec." + size(level) + "_block" + number_text(i), level, 'u', i);
  }
}

/// Other programs always have as many groups of the normalisation. Throws config_error where a level has too
/// few channels for that, so that this library takes fewer.
inline void require_groups(char const* program, AdmSettings const& s) {
  for (auto const multiplier : s.multipliers)
    if (s.channels * multiplier < 4 * s.groups)
      fail<config_error>(program, "channels of a level", number_text(s.channels * multiplier),
                         number_text(4 * s.groups) + " or more, for " + number_text(s.groups) + " groups",
                         "With fewer, this network has fewer groups, and the other program has not.");
}

/// Sources for a table whose layers are called layer + ".weight" and ".bias" on both sides: those of
/// `layers`, and parts of blocks by `blocks` (ours to theirs, of the block and of its attention). Throws
/// config_error for a parameter that the other program does not have.
struct LayerMap {
  std::map<std::string, std::string, std::less<>> layers;
  std::map<std::string, std::pair<std::string, std::string>, std::less<>> blocks;

  NameMap names(ParameterTable const& table, BlockNames const& parts, char const* program,
                std::vector<std::string_view> const& qkv = {}) const {
    NameMap all;
    for (auto const& entry : table.entries()) {
      auto const dot = entry.name.rfind('.');
      auto const layer = entry.name.substr(0, dot), number = entry.name.substr(dot);
      auto source = ParameterSource{{}, Layout::torch, 1};
      if (auto const at = layers.find(layer); at != layers.end()) source.names = {at->second + number};
      auto const last = layer.rfind('.');
      auto const block = last == std::string::npos ? blocks.end() : blocks.find(layer.substr(0, last));
      if (block != blocks.end()) {
        auto const own = std::string_view{layer}.substr(last + 1);
        for (auto const& [ours, theirs] : parts.block)
          if (own == ours) source.names = {block->second.first + "." + std::string{theirs} + number};
        for (auto const& [ours, theirs] : parts.attention)
          if (own == ours) source.names = {block->second.second + "." + std::string{theirs} + number};
        source.pixelwise =
            entry.shape.rank() == 2 &&
            std::find(parts.pixelwise.begin(), parts.pixelwise.end(), own) != parts.pixelwise.end();
        if (own == "qkv" && !qkv.empty()) {
          source.names.clear();
          for (auto const name : qkv)
            source.names.push_back(block->second.second + "." + std::string{name} + number);
        }
      }
      if (source.names.empty())
        fail<config_error>(program, "parameter", entry.name, "one that its networks have",
                           "Construct the network without it.");
      all.push_back(std::move(source));
    }
    return all;
  }
};

}  // namespace detail

}  // namespace consistency
