// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <consistency/network/parameter_table.hpp>

namespace consistency {

/// The order of a file's axes.
enum class Layout : std::uint8_t {
  torch,   ///< convolutions (o, i, h, w), linear maps (o, i) or (o, i, 1, 1)
  as_here  ///< (h, w, i, o) and (i, o): flax's, and embeddings (k, e)
};

/// Where a parameter stands in a file: under one name, or under several whose outputs follow each other along
/// our last axis, such as q, k and v.
struct ParameterSource {
  std::vector<std::string> names;
  Layout layout = Layout::torch;
  Index interleaved = 1;   ///< see ParameterTable::add
  bool pixelwise = false;  ///< a linear map over pixels is a convolution there: (o, i, 1, 1) or (1, 1, i, o)
  TorchAxes axes = TorchAxes::by_rank;  ///< of a weight in PyTorch's layout
};

/// How EDM's names of linear maps over pixels end.
inline constexpr std::string_view pixelwise_layers[] = {".skip.weight", ".qkv.weight", ".proj.weight"};

/// One source for each entry of a table, in its order.
using NameMap = std::vector<ParameterSource>;

/// The table's own names, in PyTorch's layout. Skips and attention of residual blocks are over pixels, that
/// of transformers, `attn`, is over tokens.
inline NameMap torch_names(ParameterTable const& table) {
  NameMap names;
  for (auto const& entry : table.entries()) {
    auto const over_tokens = entry.name.find(".attn.") != std::string::npos;
    auto const over_pixels =
        !over_tokens &&
        std::any_of(std::begin(pixelwise_layers), std::end(pixelwise_layers),
                    [&](auto layer) { return entry.name.ends_with(layer) && entry.shape.rank() == 2; });
    names.push_back({{entry.name}, Layout::torch, entry.interleaved, over_pixels, entry.axes});
  }
  return names;
}

}  // namespace consistency
