// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/condition/condition.hpp>

namespace consistency {

/// Two conditions at once: features (n, j) and (n, k) become (n, j + k).
template <ConditionModel A, ConditionModel B>
struct ConditionProduct {
  A first;
  B second;

  /// Throws shape_error where one has more samples than the other.
  Tensor<float> features() const {
    auto const a = first.features();   // (n, j)
    auto const b = second.features();  // (n, k)
    if (a.shape()[0] != b.shape()[0])
      fail<shape_error>("ConditionProduct", "samples",
                        number_text(a.shape()[0]) + " and " + number_text(b.shape()[0]), "as many of both");
    return concat(a, b);  // (n, j + k)
  }
};
template <class A, class B>
ConditionProduct(A, B) -> ConditionProduct<A, B>;

}  // namespace consistency
