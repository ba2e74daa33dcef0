// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <consistency/network/imagenet.hpp>
#include <consistency/network/layer/convolution.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/network/summary.hpp>

namespace consistency {

enum class Pooling : std::uint8_t { average, maximum };

struct Vgg16Settings {
  Pooling pooling = Pooling::average;  ///< as consistency models use it; the network was trained with maximum
  Index resize = 224;                  ///< images are first resized to this side; 0: left as they are
};

/// The convolutions of VGG16 (Simonyan & Zisserman 2015) under torchvision's names: images of range [−1, 1],
/// (n, h, w, 3), to the maps relu1_2, relu2_2, relu3_3, relu4_3 and relu5_3. Sides are divisible by 16.
class Vgg16 {
 public:
  static constexpr auto channels = std::array<Index, 5>{64, 128, 256, 512, 512};  ///< of the maps

  static constexpr Index largest_side = 16384;

  /// Throws config_error for a side that is neither 0 nor a multiple of 16 up to the largest.
  explicit Vgg16(Vgg16Settings settings = {}) : settings_{settings} {
    if (settings.resize < 0 || settings.resize > largest_side || settings.resize % 16 != 0)
      fail<config_error>("Vgg16", "resize", number_text(settings.resize),
                         "0, or a multiple of 16 up to " + number_text(largest_side));
    Index in = 3;
    Index layer = 0;  // torchvision counts ReLUs and poolings too
    for (std::size_t block = 0; block < channels.size(); ++block, ++layer)
      for (Index i = 0; i < depths[block]; ++i, layer += 2) {
        convolutions_.emplace_back(table_, "features." + number_text(layer), in, channels[block],
                                   ConvolutionSettings{.gain = 1.41});
        in = channels[block];
      }
  }

  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers
  Vgg16Settings const& settings() const noexcept { return settings_; }

  auto operator()(auto const& theta, Operand auto const& x) const {
    using V = value_t<decltype(x)>;
    V h = imagenet_scaled(x);                                                     // (n, h, w, 3)
    if (settings_.resize > 0) h = resize(h, settings_.resize, settings_.resize);  // (n, h, w, 3)
    std::array<V, channels.size()> maps;  // (n, h / 2^block, w / 2^block, channels[block])
    auto convolution = convolutions_.begin();
    for (std::size_t block = 0; block < channels.size(); ++block) {
      if (block > 0) h = settings_.pooling == Pooling::average ? downsample(h) : max_pool(h);
      for (Index i = 0; i < depths[block]; ++i) h = relu((*convolution++)(theta, h));
      maps[block] = h;
    }
    return maps;
  }

 private:
  static constexpr auto depths = std::array<Index, 5>{2, 2, 3, 3, 3};  // convolutions before a pooling

  Vgg16Settings settings_;
  ParameterTable table_;
  std::vector<Convolution> convolutions_;
};

}  // namespace consistency
