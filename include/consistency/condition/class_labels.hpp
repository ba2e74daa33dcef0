// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include <consistency/condition/condition.hpp>

namespace consistency {

/// A class of each sample, as a row of the unit matrix: (n, classes).
struct ClassLabels {
  std::vector<Index> labels;  ///< 0 … classes − 1
  Index classes = 0;

  /// Throws config_error, naming the sample, for a label outside the classes.
  Tensor<float> features() const {
    require_within("ClassLabels", "classes", classes, 1, Index{1} << 20U);
    auto const n = static_cast<Index>(labels.size());
    auto rows = Tensor<float>{Shape{n, classes}, 0.0F};  // (n, classes)
    for (Index i = 0; i < n; ++i) {
      auto const label = labels[static_cast<std::size_t>(i)];
      if (label < 0 || label >= classes)
        fail<config_error>("ClassLabels", "label of sample " + number_text(i), number_text(label),
                           "0 to " + number_text(classes - 1), "Give one of the classes that were trained.");
      rows.mutable_data()[i * classes + label] = 1;
    }
    return rows;
  }
};
static_assert(ConditionModel<ClassLabels>);

}  // namespace consistency
