#pragma once

// The two things to learn: images with a U-Net, points of a checkerboard with a perceptron.

#include <array>
#include <cmath>
#include <filesystem>
#include <string>
#include <utility>

#include <consistency/io/batches.hpp>
#include <consistency/io/checkerboard.hpp>
#include <consistency/io/digest.hpp>
#include <consistency/io/idx.hpp>
#include <consistency/io/image.hpp>

#include "recipe.hpp"

namespace fashion {

struct Pictures {
  static constexpr auto noun = "images";
  static constexpr Index preview = 64;  ///< samples of a frame

  static UNet network(Recipe const& r) { return build_unet(r); }

  /// Reads the images, and writes what they are into a new recipe or compares it with a saved one.
  static ImageBatches open(Recipe& r) {
    if (!std::filesystem::exists(r.images))
      throw dataset_error{
          {r.images, "no such data set", "no file", "an IDX file of images",
           "Install it (Debian: apt-get install dataset-fashion-mnist), name it with --images, or train "
           "without a file: --data checkerboard"}};
    auto images = read_idx_images(r.images);
    auto const digest = consistency::digest(std::as_bytes(std::span{images.pixels}));
    if (!r.digest.empty() && r.digest != digest)
      throw dataset_error{{r.images, "not the images this run began with", "digest " + digest, r.digest,
                           "Put the original file back, or start a new run."}};
    r.digest = digest;
    r.height = images.height, r.width = images.width, r.colours = images.channels;
    return {std::move(images), r.batch, Key{r.seed}};
  }

  static Image draw(Tensor<float> const& samples, Index zoom) {
    auto const columns = static_cast<Index>(std::ceil(std::sqrt(static_cast<double>(samples.shape()[0]))));
    return tile(samples.values(), samples.shape(), columns, 2, zoom);
  }
};

struct Points {
  static constexpr auto noun = "points";
  static constexpr Index preview = 2048;

  static Mlp network(Recipe const& r) { return build_mlp(r); }
  static CheckerboardBatches open(Recipe& r) { return {r.batch, Key{r.seed}}; }

  /// The points as translucent dots over the board's squares.
  static Image draw(Tensor<float> const& samples, Index zoom) {
    constexpr auto reach = 1.1;  // shown: [-reach, reach]²
    auto const side = 160 * zoom;
    auto const scale = static_cast<double>(side) / (2 * reach);
    Image image{.height = side, .width = side, .channels = 3, .pixels = {}};
    for (Index y = 0; y < side; ++y)
      for (Index x = 0; x < side; ++x) {
        auto const dark = CheckerboardBatches::dark((static_cast<double>(x) + 0.5) / scale - reach,
                                                    reach - (static_cast<double>(y) + 0.5) / scale);
        for (auto const shade : dark ? std::array{222, 228, 240} : std::array{255, 255, 255})
          image.pixels.push_back(static_cast<std::uint8_t>(shade));
      }
    for (Index i = 0; i < samples.shape()[0]; ++i)
      dot(image, (reach + samples[2 * i]) * scale, (reach - samples[2 * i + 1]) * scale,
          0.5 + 0.45 * static_cast<double>(zoom));
    return image;
  }

 private:
  static void dot(Image& image, double x, double y, double radius) {
    constexpr auto ink = std::array{24.0, 60.0, 150.0};
    constexpr auto opacity = 0.55;
    auto const near = std::abs(x) < 1e6 && std::abs(y) < 1e6;
    if (!near) return;
    auto const reach = static_cast<Index>(radius) + 1;
    auto const cx = static_cast<Index>(x), cy = static_cast<Index>(y);
    for (Index row = std::max<Index>(0, cy - reach); row <= std::min(image.height - 1, cy + reach); ++row)
      for (Index column = std::max<Index>(0, cx - reach); column <= std::min(image.width - 1, cx + reach);
           ++column) {
        auto const distance =
            std::hypot(static_cast<double>(column) + 0.5 - x, static_cast<double>(row) + 0.5 - y);
        auto const cover = opacity * std::clamp(radius + 0.5 - distance, 0.0, 1.0);
        for (std::size_t c = 0; c < 3; ++c) {
          auto& pixel = image.pixels[static_cast<std::size_t>((row * image.width + column) * 3) + c];
          pixel = static_cast<std::uint8_t>(std::lround((1 - cover) * pixel + cover * ink[c]));
        }
      }
  }
};

}  // namespace fashion
