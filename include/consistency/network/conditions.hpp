// SPDX-License-Identifier: MIT
// TEMP
#pragma once
#include <consistency/condition/condition.hpp>
namespace consistency {
template <class T, class X>
struct Conditions {
  T time;
  Condition<X> condition;
};
}  // namespace consistency
