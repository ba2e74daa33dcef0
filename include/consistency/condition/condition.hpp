// SPDX-License-Identifier: MIT
// TEMP
#pragma once
#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/functions.hpp>
namespace consistency {
template <class X>
struct Condition {
  X features;
  bool defined() const { return features.defined(); }
  Index count() const { return features.shape()[0]; }
  Condition rows(Index begin, Index n) const {
    if (!defined()) return {};
    auto c = features.shape()[1];
    return {features.view(begin * c, {n, c})};
  }
  Condition null() const { return {X(features.shape(), 0)}; }
  template <class Y>
  Condition<Y> as() const {
    if (!defined()) return {};
    if constexpr (std::same_as<X, Y>)
      return *this;
    else
      return {};
  }
  Condition clone() const {
    if (!defined()) return {};
    return {features.clone()};
  }
};
}  // namespace consistency
