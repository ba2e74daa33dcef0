// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/network/parameter_table.hpp>

namespace consistency::detail {

/// The largest of the whole numbers among a U-Net's settings: no product that its parameters need wraps.
inline constexpr Index largest_setting = Index{1} << 20U;

/// The most residual blocks on the way down of a U-Net, the first convolution included.
inline constexpr std::size_t most_blocks = 64;

/// What the settings of every U-Net must hold: numbers from 1 to the largest, widths too, and no more blocks
/// than there is room for. Throws config_error.
template <class Settings>
void check_unet(char const* where, Settings const& s) {
  auto const within = [&](char const* what, Index found, Index most = largest_setting) {
    require_within(where, what, found, 1, most);
  };
  within("channels", s.channels);
  if constexpr (requires { s.heads; }) within("heads", s.heads);
  within("groups", s.groups);
  within("embedding", s.embedding);
  within("number of multipliers", static_cast<Index>(s.multipliers.size()), most_blocks / 2);
  for (auto const m : s.multipliers) {
    within("multiplier", m);
    within("channels of a level", s.channels * m);
  }
  within("blocks", s.blocks, most_blocks - 1);
  auto const levels = static_cast<Index>(s.multipliers.size());
  if ((s.blocks + 1) * levels > static_cast<Index>(most_blocks))
    fail<config_error>(
        where, "blocks", number_text(s.blocks) + " on each of " + number_text(levels) + " levels",
        "at most 63 on the way down, those that halve the image among them", "Take fewer blocks or levels.");
}

/// The settings of a U-Net that change what its parameters mean, but neither names nor shapes.
template <class Settings>
void declare_conventions(ParameterTable& table, Settings const& s) {
  s.time.declare(table);
  table.add_convention({"groups", number_text(s.groups), number_text(s.groups)});
  table.add_convention({"heads", number_text(s.heads), number_text(s.heads)});
}

/// Throws shape_error unless x is a batch (n, h, w, c) of such images.
inline void require_images(char const* where, Shape const& x, Shape const& image) {
  if (x.rank() != 4 || x != Shape{x[0], image[0], image[1], image[2]})
    fail<shape_error>(where, "input", x.text(), "(n, h, w, c) with (h, w, c) = " + image.text(),
                      "Images are NHWC, channels last: NCHW data is to be transposed.");
}

/// Whether a level of this height has attention.
inline bool attends(std::vector<Index> const& attention, Index height) {
  return std::find(attention.begin(), attention.end(), height) != attention.end();
}

/// Throws config_error, with the heights that there are, where attention is asked for at a height that no
/// level has, or at one twice. `height` is the first level's.
inline void check_attention(char const* where, std::vector<Index> const& attention, Index height,
                            std::size_t levels) {
  std::string heights;
  for (std::size_t level = 0; level < levels; ++level)
    heights += (level == 0 ? "" : ", ") + number_text(height >> level);
  for (auto at = attention.begin(); at != attention.end(); ++at) {
    bool has = false;
    for (std::size_t level = 0; level < levels; ++level) has = has || height >> level == *at;
    if (!has || std::find(attention.begin(), at, *at) != at)
      fail<config_error>(where,
                         has ? "attention at one height twice" : "attention at a height that no level has",
                         number_text(*at), "heights of levels, which are " + heights,
                         "Attention has its place at the height of a level; {} is none.");
  }
}

}  // namespace consistency::detail
