// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <consistency/autodiff/tape.hpp>
#include <consistency/tensor/compiled.hpp>

/// Reverse mode in programs that link consistency::compiled: the operations whose kernels and gradients are
/// there are recorded there too.
namespace consistency::compiled {

template <class Op, class T, class Inputs>
inline constexpr bool has = false;
template <class Op, class S, std::size_t... K>
inline constexpr bool has<Op, Tensor<S, Cpu>, std::index_sequence<K...>> =
    cpu::compiled::Core<S, cpu::compiled::Value,
                        cpu::compiled::ValueOf<Op, cpu::compiled::Each<Tensor<S, Cpu>, K>...>>::exists;
template <class F, class S, std::size_t... K>
inline constexpr bool has<Pointwise<F>, Tensor<S, Cpu>, std::index_sequence<K...>> =
    cpu::compiled::Core<S, cpu::compiled::Gradient,
                        cpu::compiled::GradientOf<Pointwise<F>, Tensor<S, Cpu>,
                                                  cpu::compiled::Each<Tensor<S, Cpu>, K>...>>::exists;

/// Whether the core records an operation on N tensors T.
template <class Op, class T, std::size_t N>
inline constexpr bool records = has<Op, T, std::make_index_sequence<N>>;

/// detail::recorded of autodiff/reverse.hpp.
template <class Op, class T, std::size_t N>
Variable<T> recorded(Op const& op, std::array<Variable<T>, N> const& x);

}  // namespace consistency::compiled
