// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <type_traits>

#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// One evaluation of f or D while a batch of samples is drawn, as an observer sees it.
template <class X>
struct Evaluation {
  X const& x;         // (n, …)
  X const& t;         // (n, 1, …)
  X const& estimate;  // (n, …): of the data, f(x, t) or D(x, t); the point X_{t→r}(x) of a flow map
  Index number;       ///< 0, 1, … within the batch
  Index first;        ///< the batch is samples `first` to first + n − 1 of this call
  Index count;        ///< of samples in this call
};

/// Is called after each evaluation; one that returns false stops its batch there.
template <class O, class X>
concept Observer = std::invocable<O&, Evaluation<X> const&>;

/// Sees nothing, and costs nothing.
struct Unobserved {
  void operator()(auto const&) const {}
};

namespace detail {

/// f(x, t), or X(x, t, r), with an observer. Once this one has said false, the estimate that it has seen is
/// what f gives, at no cost: it is where every sampler then ends.
template <class F, class X, class O>
class Observed {
 public:
  Observed(F const& f, O& observer, Index first, Index count)
      : f_{f}, observer_{observer}, first_{first}, count_{count} {}

  template <std::same_as<X>... End>
  X operator()(X const& x, X const& t, End const&... r) const {
    if (stopped_) return estimate_;
    estimate_ = f_(x, t, r...);  // (n, …)
    auto const seen = Evaluation<X>{x, t, estimate_, number_++, first_, count_};
    if constexpr (std::convertible_to<std::invoke_result_t<O&, Evaluation<X> const&>, bool>) {
      stopped_ = !observer_(seen);
    } else {
      observer_(seen);
    }
    return estimate_;
  }

 private:
  F const& f_;
  O& observer_;
  Index first_, count_;
  mutable Index number_ = 0;
  mutable bool stopped_ = false;
  mutable X estimate_;
};

}  // namespace detail

}  // namespace consistency
