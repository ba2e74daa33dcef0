// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <utility>

#include <consistency/condition/class_labels.hpp>
#include <consistency/data/batch.hpp>
#include <consistency/data/batches.hpp>

namespace consistency {

/// ImageBatches with the class of each image as its condition: the same images for the same key.
class LabelledImageBatches {
 public:
  /// Throws as ImageBatches does, and dataset_error for images without labels, or a label outside the
  /// classes.
  LabelledImageBatches(ImageSet images, Index classes, Index batch, Key key)
      : batches_{std::move(images), batch, key}, classes_{classes} {
    auto const& labels = batches_.images().labels;
    if (labels.empty())
      fail<dataset_error>("LabelledImageBatches", "labels", "none", "one for each image",
                          "Read the data set with its labels.");
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (labels[i] >= classes)
        fail<dataset_error>("LabelledImageBatches", "label of image " + number_text(i),
                            number_text(int{labels[i]}), "0 to " + number_text(classes - 1),
                            "Are there more classes?");
  }

  Index batch() const noexcept { return batches_.batch(); }
  Index classes() const noexcept { return classes_; }
  Index per_epoch() const noexcept { return batches_.per_epoch(); }  ///< batches of an epoch
  ImageSet const& images() const noexcept { return batches_.images(); }

  /// The images of step k = 0, 1, …, as (n, h, w, c) in [-1, 1], and their classes. Not to be called by two
  /// threads at once.
  Batch<Tensor<float>> operator()(Index k) {
    auto x = batches_(k);  // (n, h, w, c)
    ClassLabels condition{.labels = {}, .classes = classes_};
    for (auto const number : batches_.order(k)) condition.labels.push_back(images().labels[number]);
    return {std::move(x), condition};
  }

 private:
  ImageBatches batches_;
  Index classes_;
};

}  // namespace consistency
