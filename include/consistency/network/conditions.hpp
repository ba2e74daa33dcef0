// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/condition/condition.hpp>

namespace consistency {

/// What a network sees beside x.
template <class T, class X>
struct Conditions {
  T time;                  ///< c_noise(t), (n, 1, …)
  Condition<X> condition;  ///< (n, k), or undefined
};
template <class T, class X>
Conditions(T, Condition<X>) -> Conditions<T, X>;

}  // namespace consistency
