// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include <consistency/condition/condition.hpp>

namespace consistency {

/// A vector of each sample, such as what a robot observes, of about unit scale: (n, d) becomes (n, 1 + d),
/// with a 1 first, so that a vector of zeros is not the null condition.
struct Observations {
  Tensor<float> values;  ///< (n, d)

  /// Throws shape_error for another rank, and numeric_error, naming the sample, for a number that is not
  /// finite.
  Tensor<float> features() const {
    if (!values.defined() || values.shape().rank() != 2)
      fail<shape_error>("Observations", "values", values.defined() ? values.shape().text() : "none",
                        "(n, d), a vector for each sample");
    auto const n = values.shape()[0], d = values.shape()[1];
    for (Index i = 0; i < values.count(); ++i)
      if (!std::isfinite(values[i]))
        fail<numeric_error>("Observations", "sample " + number_text(i / d), number_text(values[i]),
                            "finite numbers");
    return concat(Tensor<float>(Shape{n, 1}, 1.0F), values);
  }
};
static_assert(ConditionModel<Observations>);

}  // namespace consistency
