// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <consistency/network/layer/condition_embedding.hpp>
#include <consistency/network/layer/strided_convolution.hpp>
#include <consistency/network/levels.hpp>
#include <consistency/network/residual_block.hpp>

namespace consistency {

/// Where a residual block of a U-Net is.
struct UNetPlace {
  enum class Path : std::uint8_t { down, middle, up };

  Path path;
  std::size_t level;  ///< 0 is that of the first convolution, and each has half the height of the one before
  Index block = 0;    ///< on this path and level; a block that resamples comes before them
  Resampling resampling = Resampling::none;
};

/// What a U-Net's path is made of: a residual block, or between two levels a convolution that halves the
/// image, or one that comes after one pixel for four.
using UNetBlock = std::variant<ResidualBlock, StridedConvolution, Convolution>;

/// What the U-Nets share (Ronneberger et al. 2015): residual blocks down the levels, in the middle and up
/// again, where each block also reads what one of its size gave on the way down.
class UNetBody {
 public:
  /// `layers` names the layers and chooses their settings, and is asked for them in the order of the table;
  /// of `s` the body reads channels, multipliers and blocks.
  template <class Settings, class Layers>
  UNetBody(Settings const& s, Layers const& layers, Index middle_blocks)
      : conditions_{layers.conditions()},
        embed_hidden_{layers.embed_hidden()},
        embed_{layers.embed()},
        first_{layers.first()},
        channels_{add_blocks(s, layers, middle_blocks)},
        norm_{layers.norm(channels_)},
        last_{layers.last(channels_)} {}

  /// x (n, h, w, c in) and conditions → (n, h, w, c out).
  auto operator()(auto const& theta, Value auto const& x, auto const& at, Mode const& mode) const {
    auto const hidden = conditions_(theta, at, [&](auto const& features) {  // (n, f)
      return evaluated(silu(embed_hidden_(theta, features)));               // (n, e)
    });
    auto const e = conditions_.with_vectors(theta, at, evaluated(embed_(theta, hidden)));  // (n, e)
    auto const embedding = evaluated(silu(e));                                             // (n, e)
    auto h = first_(theta, x);                                                             // (n, h, w, c)
    std::array<decltype(h), detail::most_blocks> skips;  // (n, h / 2^level, w / 2^level, c')
    std::size_t depth = 0;
    skips[depth++] = h;
    if (pyramid_.empty()) {
      for (auto const& block : down_) skips[depth++] = h = applied(block, theta, h, embedding, mode);
    } else {
      down_with_pyramid(theta, x, embedding, mode, [&](auto const& next) { skips[depth++] = h = next(h); });
    }
    for (auto const& block : middle_) h = applied(block, theta, h, embedding, mode);
    for (auto const& [block, reads_skip] : up_) {
      if (reads_skip) h = concat(h, std::exchange(skips[--depth], {}));  // (n, h', w', c' + c'')
      h = applied(block, theta, h, embedding, mode);                     // (n, h', w', c')
    }
    return last_(theta, norm_(theta, h));  // (n, h, w, c out)
  }

 private:
  template <Value X>
  static X applied(UNetBlock const& block, auto const& theta, X const& h, Value auto const& embedding,
                   Mode const& mode) {
    if (auto const* const residual = std::get_if<ResidualBlock>(&block))
      return (*residual)(theta, h, embedding, mode);  // (n, h', w', c')
    if (auto const* const strided = std::get_if<StridedConvolution>(&block))
      return (*strided)(theta, h);                            // (n, h / 2, w / 2, c)
    return std::get<Convolution>(block)(theta, upsample(h));  // (n, 2 h, 2 w, c)
  }

  /// The way down where the image itself, smaller at each level, is added in: each block is put to step(h ↦
  /// h'). What comes out of a sum is the image of the next (residual encoder of NCSN++; Song et al. 2021,
  /// Appendix H).
  void down_with_pyramid(auto const& theta, Value auto const& x, Value auto const& embedding,
                         Mode const& mode, auto const& step) const {
    using H = std::remove_cvref_t<decltype(first_(theta, x))>;
    auto level = pyramid_.begin();
    H image;  // (n, h / 2^level, w / 2^level, c'), from the second level on
    for (auto const& block : down_) {
      step([&](H const& h) {
        H next = applied(block, theta, h, embedding, mode);  // (n, h', w', c')
        auto const* const residual = std::get_if<ResidualBlock>(&block);
        if (residual != nullptr && !residual->resamples()) return next;
        H const smaller =
            level == pyramid_.begin() ? H((*level)(theta, x)) : H((*level)(theta, image));  // (n, h', w', c')
        ++level;
        image = (std::numbers::sqrt2 / 2) * (next + smaller);
        return image;
      });
    }
  }

  struct UpBlock {
    UNetBlock block;
    bool reads_skip;
  };

  /// Returns the channels of the last block.
  template <class Settings, class Layers>
  Index add_blocks(Settings const& s, Layers const& layers, Index middle_blocks) {
    using enum UNetPlace::Path;
    auto channels = s.channels;
    std::vector<Index> skips = {channels};
    Index image = 0;  // channels of the pyramid's image; 0: those of the data
    auto const levels = s.multipliers.size();
    for (std::size_t level = 0; level < levels; ++level) {
      auto const add = [&](UNetPlace const& place, Index out) {
        down_.push_back(layers.block(place, channels, out));
        channels = out;
        skips.push_back(channels);
      };
      if (level > 0) {
        add({down, level, 0, Resampling::down}, channels);
        if constexpr (requires { layers.pyramid(level, image, channels); })
          if (layers.has_pyramid())
            pyramid_.push_back(layers.pyramid(level, std::exchange(image, channels), channels));
      }
      for (Index i = 0; i < s.blocks; ++i) add({down, level, i}, s.channels * s.multipliers[level]);
    }
    for (Index i = 0; i < middle_blocks; ++i)
      middle_.push_back(layers.block({middle, levels - 1, i}, channels, channels));
    for (auto level = levels; level-- > 0;) {
      if (level + 1 < levels)
        up_.push_back({layers.block({up, level, 0, Resampling::up}, channels, channels), false});
      for (Index i = 0; i <= s.blocks; ++i) {
        auto const out = s.channels * s.multipliers[level];
        up_.push_back({layers.block({up, level, i}, channels + skips.back(), out), true});
        channels = out;
        skips.pop_back();
      }
    }
    return channels;
  }

  ConditionEmbedding conditions_;
  Linear embed_hidden_, embed_;
  Convolution first_;
  std::vector<UNetBlock> down_, middle_;
  std::vector<StridedConvolution> pyramid_;  // of each level but the first; none without a pyramid
  std::vector<UpBlock> up_;
  Index channels_;
  Normalization norm_;
  Convolution last_;
};

}  // namespace consistency
