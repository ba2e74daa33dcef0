// SPDX-License-Identifier: MIT
#pragma once

#include <type_traits>

#include <consistency/condition/given.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// One evaluation, f(x, t), of images x (n, …) under the noise of time t of f's process (Song et al. 2023,
/// Section 6.3), under a condition of each where f takes one. Throws config_error for a time outside [ε, T].
template <class X>
X denoise(auto const& f, auto const& theta, X const& x, double t,
          std::type_identity_t<Condition<X>> const& condition = {}) {
  auto const [epsilon, T] = f.process().range();
  if (!(t >= epsilon && t <= T))
    fail<config_error>(
        "denoise", "t", number_text(t),
        "from " + number_text(epsilon) + " to " + number_text(T) + ", the range of " + f.process().text());
  return with_condition(f, condition)(theta, x,
                                      X(x.shape().per_sample(), static_cast<typename X::Scalar>(t)));
}

}  // namespace consistency
