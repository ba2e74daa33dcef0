// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

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

/// Conditions as they are; a time alone is one without a condition.
template <class T, class X>
Conditions<T, X> const& conditions_of(Conditions<T, X> const& at) {
  return at;
}
auto conditions_of(Operand auto const& time) {
  auto const& t = evaluated(time);  // (n, 1, …)
  return Conditions{t, Condition<tensor_of_t<decltype(t)>>{}};
}

}  // namespace consistency
