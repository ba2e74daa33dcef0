// SPDX-License-Identifier: MIT
// TEMP
#pragma once
#include <consistency/condition/condition.hpp>
namespace consistency {
template <class X>
struct Batch {
  X x0;
  Condition<X> condition;
  Batch() = default;
  Batch(X x) : x0{std::move(x)} {}
  Batch(X x, Condition<X> c) : x0{std::move(x)}, condition{std::move(c)} {}
  bool same_shapes(Batch const& o) const { return x0.shape() == o.x0.shape(); }
  Batch clone() const { return {x0.clone(), condition.clone()}; }
  void assign(Batch const& o) { x0.assign(o.x0); }
};
}  // namespace consistency
