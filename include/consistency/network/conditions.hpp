// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <utility>

#include <consistency/condition/condition.hpp>

namespace consistency {

/// The second time of a flow map's network, beside c_noise(t): none, c_noise(r), or c_noise(t) − c_noise(r).
enum class SecondTime : std::uint8_t { none, end, gap };

/// What a network sees beside x.
template <class T, class X, class End = T>
struct Conditions {
  T time;                  ///< c_noise(t), (n, 1, …)
  Condition<X> condition;  ///< (n, k), or undefined
  End end{};               ///< c_noise(r) of the time r that a flow map goes to, (n, 1, …), or undefined
};
template <class T, class X>
Conditions(T, Condition<X>) -> Conditions<T, X>;
template <class T, class X, class End>
Conditions(T, Condition<X>, End) -> Conditions<T, X, End>;

/// Conditions as they are; a time alone is one without a condition.
template <class T, class X, class End>
Conditions<T, X, End> const& conditions_of(Conditions<T, X, End> const& at) {
  return at;
}
auto conditions_of(Operand auto const& time) {
  auto const& t = evaluated(time);  // (n, 1, …)
  return Conditions{t, Condition<tensor_of_t<decltype(t)>>{}};
}

}  // namespace consistency
