// SPDX-License-Identifier: MIT
#pragma once

// The networks that a recipe describes.

#include <string>

#include "recipe.hpp"

namespace run {

/// Features of the condition: classes, and labels of what was done to an image.
inline Index condition_features(Recipe const& r) { return r.classes + r.augmentation_labels; }

/// build<Network>(recipe). Throws config_error as the networks do.
template <class Network>
Network build(Recipe const& r);

template <>
inline UNet build<UNet>(Recipe const& r) {
  return UNet{
      {.channels = r.channels,
       .multipliers = r.multipliers,
       .blocks = r.blocks,
       .attention = r.attention,
       .heads = r.heads,
       .patch = r.patch,
       .dropout = r.dropout,
       .embedding = r.embedding,
       .time = {.scale = r.time_scale},
       .condition = {.features = r.classes, .null = r.without_class > 0, .labels = r.augmentation_labels},
       .image = {r.height, r.width, r.colours}}};
}

template <>
inline SongUNet build<SongUNet>(Recipe const& r) {
  auto s = r.network == "ncsnpp" ? SongUNetSettings::ncsnpp() : SongUNetSettings::ddpmpp();
  s.channels = r.channels;
  s.multipliers = r.multipliers;
  s.blocks = r.blocks;
  s.attention = r.attention;
  s.heads = r.heads;
  s.dropout = r.dropout;
  s.embedding = r.embedding;
  s.condition = {.features = r.classes, .null = r.without_class > 0, .labels = r.augmentation_labels};
  s.image = {r.height, r.width, r.colours};
  return SongUNet{s};
}

template <>
inline Mlp build<Mlp>(Recipe const& r) {
  return Mlp{{.dimensions = 2,
              .width = r.mlp_width,
              .layers = r.mlp_layers,
              .embedding = r.mlp_embedding,
              .time = {.scale = r.time_scale}}};
}

/// What `count` images are to be like: classes 0, 1, …, `columns` of each in turn, or all of one; nothing was
/// done to them. Undefined where the network takes no condition.
inline Condition<Tensor<float>> condition_of(Recipe const& r, Index count, Index columns,
                                             Index of_class = -1) {
  if (condition_features(r) == 0) return {};
  Tensor<float> features{Shape{count, condition_features(r)}, 0.0F};  // (n, classes + labels)
  for (Index i = 0; i < count && r.classes > 0; ++i) {
    auto const label = of_class >= 0 ? of_class : i / columns % r.classes;
    features.mutable_data()[i * condition_features(r) + label] = 1;
  }
  return Condition<Tensor<float>>{features};
}

}  // namespace run
