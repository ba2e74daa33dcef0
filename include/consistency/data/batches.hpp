// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/core/random.hpp>
#include <consistency/data/image_set.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// A uniform integer below `bound` > 0, without bias (Lemire 2019); a pure function of its arguments.
inline std::uint32_t uniform_below(std::uint32_t bound, Key key, Counter at) {
  auto const unfair = (0U - bound) % bound;  // 2^32 mod bound
  for (std::uint32_t block = 0;; ++block)
    for (auto const bits : philox(key, at, block)) {
      auto const product = std::uint64_t{bits} * bound;
      if (static_cast<std::uint32_t>(product) >= unfair) return static_cast<std::uint32_t>(product >> 32U);
    }
}

/// The order in which an epoch visits `count` things (Fisher & Yates): a pure function of (key, epoch).
inline std::vector<std::uint32_t> shuffled(std::uint32_t count, Key key, std::uint32_t epoch) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  for (auto i = count; i > 1; --i)
    std::swap(order[i - 1], order[uniform_below(i, key.with_stream(stream::data_order), {epoch, i})]);
  return order;
}

/// The batches of images of a run: that of step k depends on the seed and k alone. An epoch visits every
/// image at most once, in an order of its own; what is left when less than a batch remains is not visited in
/// that epoch.
class ImageBatches {
 public:
  /// Throws config_error for a batch below 1 or above the number of images, and dataset_error for images that
  /// are not all there (ImageSet::check).
  ImageBatches(ImageSet images, Index batch, Key key) : images_{std::move(images)}, batch_{batch}, key_{key} {
    constexpr auto most = Index{0xffffffff};
    images_.check();
    if (batch < 1 || batch > images_.count || images_.count > most)
      fail<config_error>("ImageBatches", "batch size",
                         number_text(batch) + " of " + number_text(images_.count) + " images",
                         "at least 1 and at most the number of images");
  }

  Index batch() const noexcept { return batch_; }
  Index per_epoch() const noexcept { return images_.count / batch_; }  ///< batches of an epoch
  ImageSet const& images() const noexcept { return images_; }

  /// The images of step k = 0, 1, …, as (n, h, w, c) in [-1, 1]. Keeps the order of the last epoch asked for:
  /// not to be called by two threads at once.
  Tensor<float> operator()(Index k) {
    auto const numbers = order(k);
    auto x = Tensor<float>{{batch_, images_.height, images_.width, images_.channels}};
    auto* to = x.mutable_data();
    auto const size = static_cast<std::size_t>(images_.image_size());
    for (auto const number : numbers)
      for (auto const pixel : std::span{images_.pixels}.subspan(number * size, size))
        *to++ = static_cast<float>(pixel) / 127.5F - 1.0F;
    return x;
  }

  /// The numbers of the images of step k.
  std::span<std::uint32_t const> order(Index k) {
    if (k < 0) fail<config_error>("ImageBatches", "step", number_text(k), "0 or more");
    auto const epoch = k / per_epoch();
    if (order_.empty() || epoch != epoch_) {
      order_ =
          shuffled(static_cast<std::uint32_t>(images_.count), key_, counted("ImageBatches", "epoch", epoch));
      epoch_ = epoch;
    }
    return std::span{order_}.subspan(static_cast<std::size_t>(k % per_epoch() * batch_),
                                     static_cast<std::size_t>(batch_));
  }

 private:
  ImageSet images_;
  Index batch_;
  Key key_;
  Index epoch_ = 0;
  std::vector<std::uint32_t> order_;
};

}  // namespace consistency
