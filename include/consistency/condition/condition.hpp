// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <utility>

#include <consistency/core/check.hpp>
#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// What each of n samples is to be like, as features (n, k) for a network to embed. A row of zeros must mean
/// nothing else than the null condition. Models: ClassLabels, Observations, GuidanceStrengths,
/// ConditionProduct. docs/concepts/condition.md
template <class C>
concept ConditionModel = requires(C const& condition) {
  { condition.features() } -> std::same_as<Tensor<float>>;
};

/// The condition of a batch, whatever model it came from: it goes with the samples from the data to the
/// network. Undefined: there is none.
template <class X>
class Condition {
 public:
  Condition() = default;
  /// Of features (n, k). Throws shape_error for another rank.
  explicit Condition(X features) : features_{std::move(features)} {
    if (features_.defined() && features_.shape().rank() != 2)
      fail<shape_error>("Condition", "features", features_.shape().text(), "(n, k), a row for each sample");
  }
  /// Throws as the model's `features()` does.
  template <ConditionModel C>
    requires std::same_as<X, Tensor<float>>
  Condition(C const& model)  // NOLINT(google-explicit-constructor): a model is a condition
      : Condition{model.features()} {}

  bool defined() const noexcept { return features_.defined(); }
  X const& features() const noexcept { return features_; }              ///< (n, k)
  Index count() const { return defined() ? features_.shape()[0] : 0; }  ///< n
  Index width() const { return defined() ? features_.shape()[1] : 0; }  ///< k

  /// Of samples begin … begin + count − 1: a view.
  Condition rows(Index begin, Index count) const {
    if (!defined()) return {};
    return Condition{features_.view(begin * width(), Shape{count, width()})};
  }
  /// The null condition of as many samples.
  Condition null() const {
    if (!defined()) return {};
    return Condition{X(features_.shape(), typename X::Scalar(0))};
  }
  /// With the null condition in place of those whose `kept` (n, 1) is 0; the others have 1.
  Condition kept(X const& kept) const { return Condition{X(features_ * kept)}; }

  Condition clone() const { return defined() ? Condition{features_.clone()} : Condition{}; }
  /// Overwrites these features by others of the same shape.
  void assign(Condition const& from) {
    if (defined()) features_.assign(from.features_);
  }

 private:
  X features_;  // (n, k)
};

/// The same numbers in another backend or scalar.
template <class To, class S, class B>
To to_numbers(Tensor<S, B> const& x) {
  using Scalar = typename To::Scalar;
  using Backend = typename To::Backend;
  if constexpr (std::same_as<S, Scalar>) {
    return to<Backend>(x);
  } else {
    auto const host = to<Cpu>(x);
    Tensor<Scalar> numbers{host.shape()};
    for (Index i = 0; i < host.count(); ++i) numbers.mutable_data()[i] = static_cast<Scalar>(host[i]);
    return to<Backend>(numbers);
  }
}
template <class To, class S, class B>
Condition<To> to_numbers(Condition<Tensor<S, B>> const& condition) {
  return condition.defined() ? Condition<To>{to_numbers<To>(condition.features())} : Condition<To>{};
}
template <class To, class S, class B>
Condition<Tensor<S, To>> to(Condition<Tensor<S, B>> const& condition) {
  return to_numbers<Tensor<S, To>>(condition);
}

}  // namespace consistency
