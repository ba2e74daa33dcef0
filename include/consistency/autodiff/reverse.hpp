// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <consistency/autodiff/rule.hpp>
#include <consistency/autodiff/tape.hpp>
#ifdef CONSISTENCY_COMPILED
#include <consistency/autodiff/compiled.hpp>
#endif

namespace consistency {

template <class T>
inline constexpr bool is_variable = false;
template <class T>
inline constexpr bool is_variable<Variable<T>> = true;

namespace detail {

template <class T>
Tape<T>* tape_of(T const&) {
  return nullptr;
}
template <class T>
Tape<T>* tape_of(Variable<T> const& x) {
  return x.node() < 0 ? nullptr : x.tape();
}

/// What an operation leaves on the tape.
template <class Op, class T, std::size_t N>
struct Pullback {
  Op op;
  std::array<int, N> nodes{};
  std::array<T, N> inputs{};
  T output{};

  void operator()(Tape<T>& tape, T const& g) const {
    std::array<bool, N> wanted;
    for (std::size_t k = 0; k < N; ++k) wanted[k] = nodes[k] >= 0;
    TraceCall<typename T::Backend> const call;
    auto gradients = Rule<Op>::vjp(op, wanted, output, g, inputs);
    if (call) [[unlikely]]
      call.template done_backward<T>(type_signature<Op>(), backward_flops(wanted), g, inputs, gradients);
    for (std::size_t k = 0; k < N; ++k)
      if (wanted[k]) tape.accumulate(nodes[k], std::move(gradients[k]));
  }

 private:
  /// Each gradient of a product is a product as large as it.
  double backward_flops(std::array<bool, N> const& wanted) const {
    return [&]<std::size_t... K>(std::index_sequence<K...>) {
      auto const forward = flops(op, inputs[K]...);
      if constexpr (N > 1) return (wanted[0] + wanted[1]) * forward;
      return forward;
    }(std::make_index_sequence<N>{});
  }
};

/// y = op(x…), recorded where one of the x is on a tape.
template <class Op, class T, std::size_t N>
Variable<T> recorded(Op const& op, std::array<Variable<T>, N> const& x) {
  auto y = [&]<std::size_t... K>(std::index_sequence<K...>) -> T {
    return apply(op, x[K].value()...);
  }(std::make_index_sequence<N>{});
  Tape<T>* tape = nullptr;
  auto left = Pullback<Op, T, N>{.op = op};
  for (std::size_t k = 0; k < N; ++k) {
    if (tape == nullptr) tape = tape_of(x[k]);
    left.nodes[k] = x[k].node();
    left.inputs[k] = k < Rule<Op>::keeps_inputs ? x[k].value() : x[k].value().without_numbers();
  }
  if (tape == nullptr) return {std::move(y)};
  left.output = Rule<Op>::keeps_output ? y : y.without_numbers();
  return tape->record(std::move(y), std::move(left));
}

}  // namespace detail

/// y = op(inputs…) where at least one input is a variable; the rest may be tensors.
template <class Op, class... X>
  requires((is_variable<X> || is_tensor<X>) && ...) && (is_variable<X> || ...)
auto apply(Op const& op, X const&... x) {
  using T = std::common_type_t<tensor_of_t<X>...>;
  auto const variables = std::array{Variable<T>{x}...};
#ifdef CONSISTENCY_COMPILED
  if constexpr (compiled::records<Op, T, sizeof...(X)>) {
    return compiled::recorded(op, variables);
  } else {
    return detail::recorded(op, variables);
  }
#else
  return detail::recorded(op, variables);
#endif
}

}  // namespace consistency
