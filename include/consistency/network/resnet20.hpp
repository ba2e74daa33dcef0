// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <consistency/network/imagenet.hpp>
#include <consistency/network/layer/linear.hpp>
#include <consistency/network/layer/normalized_convolution.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/network/summary.hpp>

namespace consistency {

/// The ResNet-20 of CIFAR-10 (He et al. 2016, Section 4.2, shortcuts A) in evaluation, under the names of
/// akamaster/pytorch_resnet_cifar10: images of range [−1, 1], (n, h, w, 3), to the maps behind the first
/// convolution and behind each of the three stages. Sides are divisible by 4.
class ResNet20 {
 public:
  static constexpr auto channels = std::array<Index, 4>{16, 16, 32, 64};  ///< of the maps
  static constexpr Index classes = 10;

  ResNet20() : first_{table_, "conv1", "bn1", 3, channels[0], {}} {
    for (std::size_t stage = 1; stage < channels.size(); ++stage)
      for (Index i = 0; i < depth; ++i) {
        auto const name = "layer" + number_text(stage) + "." + number_text(i) + ".";
        auto const in = i == 0 ? channels[stage - 1] : channels[stage];
        auto const out = channels[stage];
        blocks_.push_back({{table_, name + "conv1", name + "bn1", in, out, {.stride = in == out ? 1 : 2}},
                           {table_, name + "conv2", name + "bn2", out, out, {}},
                           (out - in) / 2});
      }
    last_.emplace(table_, "linear", channels.back(), classes);
  }

  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers

  auto operator()(auto const& theta, Operand auto const& x) const {
    using V = value_t<decltype(x)>;
    V h = relu(first_(theta, imagenet_scaled(x)));  // (n, h, w, 16)
    std::array<V, channels.size()> maps;  // (n, h / stride, w / stride, channels), of strides 1, 1, 2 and 4
    maps[0] = h;
    auto block = blocks_.begin();
    for (std::size_t stage = 1; stage < channels.size(); ++stage) {
      for (Index i = 0; i < depth; ++i) h = (*block++)(theta, h);
      maps[stage] = h;
    }
    return maps;
  }

  /// The last map averaged over pixels, (n, 64).
  auto pooled(auto const& theta, Operand auto const& x) const {
    auto const map = (*this)(theta, x).back();  // (n, h / 4, w / 4, 64)
    auto const& shape = map.shape();
    auto const pixels = static_cast<double>(shape[1] * shape[2]);
    return reshape((1 / pixels) * sum_to(map, Shape{shape[0], 1, 1, shape[3]}), Shape{shape[0], shape[3]});
  }

  /// Unnormalised log probabilities of the classes, (n, 10).
  auto logits(auto const& theta, Operand auto const& x) const { return classified(theta, pooled(theta, x)); }
  /// The same of features (n, 64) that `pooled` gave.
  auto classified(auto const& theta, Operand auto const& features) const { return (*last_)(theta, features); }

 private:
  static constexpr Index depth = 3;  // blocks in a stage

  struct Block {
    NormalizedConvolution first, second;
    Index padding;  // channels of zeros on either side of a shortcut to half the size; 0 where sizes stay

    auto operator()(auto const& theta, Value auto const& x) const {
      auto const h = evaluated(relu(first(theta, x)));                                 // (n, h, w, out)
      return evaluated(relu(second.added(theta, h, padding == 0 ? x : shortcut(x))));  // (n, h, w, out)
    }

    /// Every second pixel, between channels of zeros.
    template <Value V>
    V shortcut(V const& x) const {
      using T = tensor_of_t<V>;
      V const even = slice(space_to_depth(x, 2), 0, x.shape().back());  // (n, h / 2, w / 2, in)
      auto const zeros =
          T(even.shape().with_channels(padding), typename T::Scalar(0));  // (n, h / 2, w / 2, padding)
      return concat(concat(zeros, even), zeros);                          // (n, h / 2, w / 2, out)
    }
  };

  ParameterTable table_;
  NormalizedConvolution first_;
  std::vector<Block> blocks_;
  std::optional<Linear> last_;
};

}  // namespace consistency
