// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <vector>

#include <consistency/condition/condition.hpp>

namespace consistency {

/// A guidance strength ω of each sample for networks that have learned it as an input (Meng et al. 2023,
/// Section 3.1): (n, 2), a 1 and ln ω.
struct GuidanceStrengths {
  std::vector<double> strengths;  ///< above 0

  /// Throws config_error, naming the sample, for a strength that is not positive and finite.
  Tensor<float> features() const {
    auto const n = static_cast<Index>(strengths.size());
    auto rows = Tensor<float>{Shape{n, 2}, 1.0F};  // (n, 2)
    for (Index i = 0; i < n; ++i) {
      auto const strength = strengths[static_cast<std::size_t>(i)];
      require_positive("GuidanceStrengths", ("strength of sample " + number_text(i)).c_str(), strength);
      rows.mutable_data()[2 * i + 1] = static_cast<float>(std::log(strength));
    }
    return rows;
  }
};
static_assert(ConditionModel<GuidanceStrengths>);

}  // namespace consistency
