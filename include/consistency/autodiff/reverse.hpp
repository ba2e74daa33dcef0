// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <consistency/autodiff/rule.hpp>
#include <consistency/autodiff/tape.hpp>

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
template <class T>
int node_of(T const&) {
  return -1;
}
template <class T>
int node_of(Variable<T> const& x) {
  return x.node();
}

/// What an operation leaves on the tape.
template <class Op, class T, std::size_t N>
struct Pullback {
  Op op;
  std::array<int, N> nodes;
  std::array<T, N> inputs;
  T output;

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

}  // namespace detail

/// y = op(inputs…) where at least one input is a variable; the rest may be tensors.
template <class Op, class... X>
  requires((is_variable<X> || is_tensor<X>) && ...) && (is_variable<X> || ...)
auto apply(Op const& op, X const&... x) {
  using T = std::common_type_t<tensor_of_t<X>...>;
  T y = apply(op, stop_gradient(x)...);
  Tape<T>* tape = nullptr;
  ((tape = tape ? tape : detail::tape_of(x)), ...);
  if (!tape) return Variable<T>{std::move(y)};
  std::size_t k = 0;
  auto const kept = [&](T const& t) { return k++ < Rule<Op>::keeps_inputs ? t : t.without_numbers(); };
  auto output = Rule<Op>::keeps_output ? y : y.without_numbers();
  return tape->record(std::move(y),
                      detail::Pullback<Op, T, sizeof...(X)>{
                          op, {detail::node_of(x)...}, {kept(stop_gradient(x))...}, std::move(output)});
}

}  // namespace consistency
