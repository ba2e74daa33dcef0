// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/network/layer/linear.hpp>
#include <consistency/network/layer/normalization.hpp>

namespace consistency {

/// Initial weights of a residual block and its attention; with the defaults a new block is
/// nearly its skip connection.
struct BlockWeights {
  WeightDistribution distribution = WeightDistribution::fan_in;
  double affine = 0.3;  ///< gain of the time's projection
  double qkv = 1;       ///< of queries, keys and values
  double last = 1e-2;   ///< of the last layer of each branch
};

/// Multi-head self-attention over the pixels of an image (Vaswani et al. 2017), after a normalisation;
/// without the residual connection. Channels of `qkv`: those of q, then of k, then of v, each head by head.
class SelfAttention {
 public:
  /// `norm` is the normalisation's own name. `interleaved`: PyTorch's files have q, k and v of channel j as
  /// channels 3j, 3j + 1 and 3j + 2 of `qkv`. Throws config_error where channels are not divisible by heads.
  SelfAttention(ParameterTable& table, std::string const& name, Index channels, Index heads,
                NormalizationSettings settings, std::string const& norm = "norm", bool interleaved = false,
                BlockWeights const& weights = {})
      : norm_{table, name + "." + norm, divisible(name, channels, heads), without_silu(settings)},
        qkv_{table,       name + ".qkv",        channels,           3 * channels,
             weights.qkv, weights.distribution, interleaved ? 3 : 1},
        proj_{table, name + ".proj", channels, channels, weights.last, weights.distribution},
        channels_{channels},
        heads_{heads} {}

  /// x (n, h, w, c) → (n, h, w, c)
  auto operator()(auto const& theta, Value auto const& x) const {
    auto const shape = x.shape();
    auto const sequence = Shape{shape[0], shape[1] * shape[2], 3 * channels_};
    auto const qkv = reshape(qkv_(theta, norm_(theta, x)), sequence);            // (n, h w, 3 c)
    auto const q = slice(qkv, 0, channels_);                                     // (n, h w, c)
    auto const k = slice(qkv, channels_, 2 * channels_);                         // (n, h w, c)
    auto const v = slice(qkv, 2 * channels_, 3 * channels_);                     // (n, h w, c)
    return proj_(theta, reshape(attention(q, k, v, {.heads = heads_}), shape));  // (n, h, w, c)
  }

 private:
  static Index divisible(std::string const& name, Index channels, Index heads) {
    if (channels < 1 || channels > max_channels || heads < 1 || channels % heads != 0)
      fail<config_error>(name, "channels not divisible by heads",
                         number_text(channels) + " channels, " + number_text(heads) + " heads",
                         "a multiple of the heads, from 1 to " + number_text(max_channels));
    return channels;
  }
  static NormalizationSettings without_silu(NormalizationSettings settings) {
    settings.silu = false;
    return settings;
  }

  Normalization norm_;
  Linear qkv_, proj_;
  Index channels_, heads_;
};

}  // namespace consistency
