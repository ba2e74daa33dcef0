// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <consistency/core/parallel.hpp>
#include <consistency/data/augmentation.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/data/image_transform.hpp>

namespace consistency {

/// Batches of images, each image under a transform of its own, which depends on the seed, the step and its
/// place in the batch. Where the settings say so, the features of the condition (n, k) end with the 9 labels
/// of the transform, (n, k + 9).
template <Batches B>
class AugmentedBatches {
 public:
  /// Throws config_error for impossible settings.
  AugmentedBatches(B batches, AugmentationSettings settings, Key key)
      : batches_{std::move(batches)}, settings_{settings}, key_{key} {
    settings_.check();
  }

  /// The batch of step k = 0, 1, …, images (n, h, w, c). Not to be called by two threads at once.
  Batch<Tensor<float>> operator()(Index k) {
    Batch<Tensor<float>> batch = batches_(k);  // (n, h, w, c)
    auto const& shape = batch.x0.shape();
    if (shape.rank() != 4) fail<shape_error>("AugmentedBatches", "data", shape.text(), "images (n, h, w, c)");
    auto const n = shape[0], h = shape[1], w = shape[2], c = shape[3];
    auto const step = counted("AugmentedBatches", "step", k);
    constexpr auto labels = static_cast<Index>(ImageTransform::label_count);
    auto const width = batch.condition.width();
    Tensor<float> features{Shape{n, width + labels}};  // (n, k + 9)
    auto* const pixels = batch.x0.mutable_data();
    auto* const rows = features.mutable_data();
    constexpr Index grain = 4;
    parallel_ranges(n, grain, [&](Index begin, Index end) {
      ImageTransformer apply{h, w, c};
      for (Index i = begin; i < end; ++i) {
        auto const transform = settings_.draw(key_, {step, static_cast<std::uint32_t>(i)},
                                              static_cast<double>(h), static_cast<double>(w));
        apply(transform, pixels + i * h * w * c);
        auto* const row = rows + i * (width + labels);
        if (width > 0) std::copy_n(batch.condition.features().data() + i * width, width, row);
        std::copy(transform.labels.begin(), transform.labels.end(), row + width);
      }
    });
    if (!settings_.labelled) return batch;
    return {std::move(batch.x0), Condition<Tensor<float>>{features}};
  }

 private:
  B batches_;
  AugmentationSettings settings_;
  Key key_;
};

}  // namespace consistency
