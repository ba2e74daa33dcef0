// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <utility>

#include <consistency/condition/condition.hpp>

namespace consistency {

/// Data and what goes beside them.
template <class X>
struct Batch {
  X x0;                      // (n, …)
  Condition<X> condition{};  // (n, k), or undefined

  Batch() = default;
  Batch(X data) : x0{std::move(data)} {}  // NOLINT(google-explicit-constructor): data alone are a batch
  /// Throws config_error for a condition of another number of samples.
  Batch(X data, Condition<X> beside) : x0{std::move(data)}, condition{std::move(beside)} {
    if (condition.defined() && condition.count() != x0.shape()[0])
      fail<config_error>("Batch", "condition", "one of " + number_text(condition.count()) + " samples",
                         "one for each of the " + number_text(x0.shape()[0]) + " samples");
  }

  Index count() const { return x0.shape()[0]; }
  /// Samples begin … begin + count − 1: views.
  Batch rows(Index begin, Index count) const {
    return {x0.view(begin * (x0.count() / x0.shape()[0]), x0.shape().with(0, count)),
            condition.rows(begin, count)};
  }
  bool same_shapes(Batch const& other) const {
    return x0.shape() == other.x0.shape() && condition.width() == other.condition.width();
  }
  Batch clone() const { return {x0.clone(), condition.clone()}; }
  /// Overwrites these numbers by others of the same shapes.
  void assign(Batch const& from) {
    x0.assign(from.x0);
    condition.assign(from.condition);
  }
};

/// The same batch in another backend's memory.
template <class To, class S, class B>
Batch<Tensor<S, To>> to(Batch<Tensor<S, B>> const& batch) {
  return {to<To>(batch.x0), to<To>(batch.condition)};
}

/// The batches of a run: that of step k = 0, 1, …, as data (n, …) alone or with conditions.
template <class B, class X = Tensor<float>>
concept Batches = requires(B& batches, Index k) {
  { batches(k) } -> std::convertible_to<Batch<X>>;
};

}  // namespace consistency
