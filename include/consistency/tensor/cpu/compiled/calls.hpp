// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <consistency/tensor/cpu/compiled/chains.hpp>
#include <consistency/tensor/moment_step.hpp>
#include <consistency/tensor/random.hpp>

namespace consistency::cpu::compiled {

// What the functions of the core do; compiled/kernels.cpp says how.
struct Value;       // Kernel<Op, Cpu>::value
struct Gradient;    // its vjp
struct Derivative;  // its jvp
struct Fill;        // its fill, with random numbers
struct Accumulate;  // accumulate_into
struct Update;      // moment_update
template <class Of>
struct Largest;

/// One function of the core.
template <class What, class Signature>
struct Call;

template <std::size_t N>
using Wanted = std::array<bool, N> const&;
/// value(op, x...) and jvp(op, x..., dx...) of tensors T.
template <class Op, class... X>
using ValueOf = std::common_type_t<X...>(Op const&, X const&...);
/// vjp(op, wanted, y, g, x...).
template <class Op, class T, class... X>
using GradientOf = std::array<T, sizeof...(X)>(Op const&, Wanted<sizeof...(X)>, T const&, T const&,
                                               X const&...);
/// fill(distribution, y, key, first).
template <class Distribution, class T>
using FillOf = void(Distribution const&, T&, Key const&, Counter const&);

/// On tensors T, all but element-wise chains. X is T const&.
template <class T, class X = T const&>
using OperationCalls = TypeList<  //
    Call<Value, T(op::SumTo const&, X)>, Call<Value, T(op::BroadcastTo const&, X)>,
    Call<Value, T(op::Reshape const&, X)>, Call<Value, T(op::Concat const&, X, X)>,
    Call<Value, T(op::Slice const&, X)>, Call<Value, T(op::Linear const&, X, X)>,
    Call<Value, T(op::Linear const&, X, X, X)>, Call<Gradient, GradientOf<op::Linear, T, T, T>>,  //
    Call<Value, T(op::Conv2d const&, X, X)>, Call<Value, T(op::Conv2d const&, X, X, X)>,
    Call<Value, T(op::Conv2d const&, X, X, X, X)>, Call<Gradient, GradientOf<op::Conv2d, T, T, T>>,  //
    Call<Value, T(op::Upsample const&, X)>, Call<Value, T(op::Downsample const&, X)>,
    Call<Value, T(op::Blur const&, X)>, Call<Value, T(op::Resize const&, X)>,
    Call<Value, T(op::MaxPool const&, X)>, Call<Value, T(op::MaxPool const&, X, X)>,
    Call<Gradient, GradientOf<op::MaxPool, T, T>>, Call<Value, T(op::MaxPerSample const&, X)>,
    Call<Value, T(op::MaxPerSample const&, X, X)>, Call<Gradient, GradientOf<op::MaxPerSample, T, T>>,
    Call<Value, T(op::SpaceToDepth const&, X)>, Call<Value, T(op::DepthToSpace const&, X)>,
    Call<Value, T(op::GroupNorm const&, X, X, X)>, Call<Gradient, GradientOf<op::GroupNorm, T, T, T, T>>,
    Call<Value, T(op::Softmax const&, X)>, Call<Gradient, GradientOf<op::Softmax, T, T>>,
    Call<Value, T(op::Attention const&, X, X, X)>, Call<Gradient, GradientOf<op::Attention, T, T, T, T>>,
    Call<Derivative, T(op::Attention const&, X, X, X, X, X, X)>,
    Call<Value, T(op::AttentionScores const&, X, X)>, Call<Value, T(op::AttentionMix const&, X, X)>,
    Call<Fill, FillOf<distribution::Normal, T>>, Call<Fill, FillOf<distribution::Uniform, T>>,
    Call<Fill, FillOf<distribution::DropoutMask, T>>, Call<Accumulate, void(T&, X)>,
    Call<Update, void(MomentUpdate<T> const&)>, Call<Largest<pointwise::Abs>, typename T::Scalar(X)>,
    Call<Largest<pointwise::Negate>, typename T::Scalar(X)>>;

template <class T, std::size_t>
using Each = T;

/// The value of an element-wise chain, and its gradient.
template <class F, class T, class Leaves = std::make_index_sequence<F::leaves>>
struct ChainCalls;
template <class F, class T, std::size_t... K>
struct ChainCalls<F, T, std::index_sequence<K...>> {
  using OfValue = Call<Value, T(Pointwise<F> const&, Each<T const&, K>...)>;
  using OfGradient = Call<Gradient, GradientOf<Pointwise<F>, T, Each<T, K>...>>;
};

template <class T, class... C, class... F, class... G>
TypeList<C..., typename ChainCalls<F, T>::OfValue..., typename ChainCalls<F, T>::OfGradient...,
         typename ChainCalls<G, T>::OfValue...>
    joined(TypeList<C...>, TypeList<F...>, TypeList<G...>);

/// All functions of the core on tensors T, in the order of its table.
template <class T>
using Calls = decltype(joined<T>(OperationCalls<T>{}, Differentiated{}, Plain{}));

/// A function of the table, whatever its signature.
using Entry = void (*)();

}  // namespace consistency::cpu::compiled
