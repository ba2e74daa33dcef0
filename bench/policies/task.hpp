// SPDX-License-Identifier: MIT
#pragma once

// What is learned, as vectors: points of a plane (two sets), or Fashion-MNIST made 7 x 7.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <consistency/consistency.hpp>
#include <consistency/data/batches.hpp>
#include <consistency/data/checkerboard.hpp>
#include <consistency/data/mixture.hpp>

#include "../../examples/programs/support/data_set.hpp"

namespace policies {

using namespace consistency;

/// Every pixel the mean of side × side.
inline ImageSet smaller(ImageSet const& from, Index side) {
  ImageSet to{.count = from.count,
              .height = from.height / side,
              .width = from.width / side,
              .channels = 1,
              .pixels = {},
              .labels = {}};
  to.pixels.reserve(static_cast<std::size_t>(to.count * to.image_size()));
  for (Index i = 0; i < from.count; ++i) {
    auto const image = from.image(i);
    for (Index y = 0; y < to.height; ++y)
      for (Index x = 0; x < to.width; ++x) {
        Index sum = side * side / 2;
        for (Index dy = 0; dy < side; ++dy)
          for (Index dx = 0; dx < side; ++dx)
            sum += image[static_cast<std::size_t>((side * y + dy) * from.width + side * x + dx)];
        to.pixels.push_back(static_cast<std::uint8_t>(sum / (side * side)));
      }
  }
  return to;
}

class Task {
 public:
  static constexpr Index samples = 1024;      ///< that are compared
  static constexpr Index of_plane = 1 << 14;  ///< whose histogram is

  /// `data`: mixture, checkerboard or fashion-mnist.
  Task(std::string const& data, std::string const& images, Index batch, std::uint64_t seed)
      : batches_{MixtureBatches{batch, Key{seed}}}, unseen_{MixtureBatches{samples, Key{~seed}}(0)} {
    if (data == "mixture") plane_ = MixtureBatches{4 * of_plane, Key{~seed}}(1);
    if (data == "checkerboard") {
      batches_ = CheckerboardBatches{batch, Key{seed}};
      unseen_ = CheckerboardBatches{samples, Key{~seed}}(0);
      plane_ = CheckerboardBatches{4 * of_plane, Key{~seed}}(1);
    }
    if (data != "fashion-mnist") return;
    auto set = smaller(example::read_images(images), 4);
    if (set.count < samples + batch)
      fail<dataset_error>(images, "number of images", number_text(set.count),
                          number_text(samples + batch) + " or more", "Use the training images.");
    auto held_out = set;
    set.count -= samples;
    auto const kept = set.pixels.begin() + static_cast<std::ptrdiff_t>(set.count * set.image_size());
    held_out.count = samples;
    held_out.pixels.assign(kept, set.pixels.end());
    set.pixels.erase(kept, set.pixels.end());
    unseen_ = vectors(ImageBatches{std::move(held_out), samples, Key{seed}}(0));
    batches_ = ImageBatches{std::move(set), batch, Key{seed}};
  }

  Index dimensions() const { return unseen_.shape()[1]; }
  Tensor<float> batch(Index k) {
    return std::visit([&](auto& batches) { return vectors(batches(k)); }, batches_);  // (batch, d)
  }
  /// Data that nobody trains on, (samples, d).
  Tensor<float> const& unseen() const { return unseen_; }
  /// Many points of it, (4 of_plane, 2), where it is of a plane; else none.
  std::optional<Tensor<float>> const& plane() const { return plane_; }

 private:
  static Tensor<float> vectors(Tensor<float> const& x) {
    auto const n = x.shape()[0];
    return reshape(x, {n, x.count() / n});  // (n, d)
  }

  std::variant<MixtureBatches, CheckerboardBatches, ImageBatches> batches_;
  Tensor<float> unseen_;
  std::optional<Tensor<float>> plane_;
};

}  // namespace policies
