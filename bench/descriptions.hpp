// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/network/song_unet.hpp>
#include <consistency/network/unet.hpp>

namespace bench {

/// The network of the Fashion-MNIST demo, 28×28×1.
inline consistency::UNet demo_unet() {
  return consistency::UNet{{.channels = 32, .multipliers = {1, 2}, .attention = {7}, .heads = 2, .patch = 2}};
}

/// A small network for 32×32×3.
inline consistency::UNet small_unet() {
  return consistency::UNet{
      {.channels = 32, .multipliers = {1, 2, 2}, .blocks = 2, .attention = {8}, .image = {32, 32, 3}}};
}

/// The papers' network for CIFAR-10, 32×32×3.
inline consistency::SongUNet ddpmpp() { return consistency::SongUNet{}; }

/// The same with gradient checkpointing.
inline consistency::SongUNet ddpmpp_recomputed() { return consistency::SongUNet{{.recompute = true}}; }

}  // namespace bench
