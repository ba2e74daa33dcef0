// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include <consistency/tensor/cpu/compiled/calls.hpp>
#include <consistency/tensor/cpu/pointwise.hpp>

// The core is called by names that say of which headers it must be.
#ifdef _GLIBCXX_DEBUG
#define CONSISTENCY_DETAIL_CHECKS "_with_GLIBCXX_DEBUG"
#else
#define CONSISTENCY_DETAIL_CHECKS ""
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
#define CONSISTENCY_DETAIL_STRINGS "_with_old_strings"
#else
#define CONSISTENCY_DETAIL_STRINGS ""
#endif
#define CONSISTENCY_DETAIL_CORE                                                                             \
  "headers_of_consistency_" CONSISTENCY_DETAIL_VERSION CONSISTENCY_DETAIL_CHECKS CONSISTENCY_DETAIL_STRINGS \
  "_need_consistency_compiled_of_the_same_version_and_settings_"

/// The CPU backend of programs that link consistency::compiled: kernels and the library's own element-wise
/// chains are there, compiled for several instruction sets; other chains are compiled where they stand. The
/// first kernel that a program runs chooses the widest set that the processor has, or the one that the
/// environment names, CONSISTENCY_INSTRUCTIONS=sse2 for example. Throws config_error for one that the core or
/// the processor lacks.
namespace consistency::cpu::compiled {

/// The functions of the chosen instruction set, in the order of Calls. Throws config_error, when a program
/// calls its first, if `list` is not that of the core.
Entry const* entries(float, std::type_info const* list) __asm__(CONSISTENCY_DETAIL_CORE "float");
Entry const* entries(double, std::type_info const* list) __asm__(CONSISTENCY_DETAIL_CORE "double");

/// Which functions these headers know, and in which order; nullptr, and no check, with -fno-rtti. Static, so
/// that the core's and the program's are two functions.
static inline std::type_info const* list() {
#ifdef __cpp_rtti
  return &typeid(Calls<Tensor<float, Cpu>>);
#else
  return nullptr;
#endif
}

template <std::size_t I, class C>
struct Numbered {};
template <class Calls, class Numbers>
struct Table;
template <class... C, std::size_t... I>
struct Table<TypeList<C...>, std::index_sequence<I...>> : Numbered<I, C>... {};
template <class... C>
Table<TypeList<C...>, std::index_sequence_for<C...>> table(TypeList<C...>);
template <class C, std::size_t I>
std::integral_constant<std::size_t, I> place(Numbered<I, C> const&);

/// A function of the core for tensors of S, float or double.
template <class S, class What, class Signature>
struct Core {
  using Functions = decltype(table(Calls<Tensor<S, Cpu>>{}));
  static constexpr bool exists = requires(Functions const& all) { place<Call<What, Signature>>(all); };

  static auto get() {
    constexpr auto at = decltype(place<Call<What, Signature>>(std::declval<Functions const&>()))::value;
    return reinterpret_cast<Signature*>(entries(S{}, list())[at]);
  }
};

/// What Kernel<Op, Cpu> is.
template <class Op>
struct Kernel {
  template <class S, class... X, class Own = Core<S, Value, ValueOf<Op, Tensor<S, Cpu>, X...>>>
    requires Own::exists
  static Tensor<S, Cpu> value(Op const& op, Tensor<S, Cpu> const& x, X const&... rest) {
    return Own::get()(op, x, rest...);
  }
  template <class S, class... X, class Own = Core<S, Gradient, GradientOf<Op, Tensor<S, Cpu>, X...>>>
    requires Own::exists
  static std::array<Tensor<S, Cpu>, sizeof...(X)> vjp(Op const& op, Wanted<sizeof...(X)> wanted,
                                                      Tensor<S, Cpu> const& y, Tensor<S, Cpu> const& g,
                                                      X const&... x) {
    return Own::get()(op, wanted, y, g, x...);
  }
  template <class S, class... X, class Own = Core<S, Derivative, ValueOf<Op, Tensor<S, Cpu>, X...>>>
    requires Own::exists
  static Tensor<S, Cpu> jvp(Op const& op, Tensor<S, Cpu> const& x, X const&... rest) {
    return Own::get()(op, x, rest...);
  }
  template <class S, class Own = Core<S, Fill, FillOf<Op, Tensor<S, Cpu>>>>
    requires Own::exists
  static void fill(Op const& distribution, Tensor<S, Cpu>& y, Key const& key, Counter const& first) {
    Own::get()(distribution, y, key, first);
  }
};

/// A chain that the core lacks is compiled here, with the instructions of this unit.
template <class F>
struct Kernel<Pointwise<F>> {
  template <class S, class... X>
  static Tensor<S, Cpu> value(Pointwise<F> const& op, Tensor<S, Cpu> const& x, X const&... rest) {
    using Own = Core<S, Value, ValueOf<Pointwise<F>, Tensor<S, Cpu>, X...>>;
    if constexpr (Own::exists) {
      return Own::get()(op, x, rest...);
    } else {
      return cpu::Kernel<Pointwise<F>>::value(op, x, rest...);
    }
  }
  template <class S, class... X>
  static std::array<Tensor<S, Cpu>, sizeof...(X)> vjp(Pointwise<F> const& op, Wanted<sizeof...(X)> wanted,
                                                      Tensor<S, Cpu> const& y, Tensor<S, Cpu> const& g,
                                                      X const&... x) {
    using Own = Core<S, Gradient, GradientOf<Pointwise<F>, Tensor<S, Cpu>, X...>>;
    if constexpr (Own::exists) {
      return Own::get()(op, wanted, y, g, x...);
    } else {
      return cpu::Kernel<Pointwise<F>>::vjp(op, wanted, y, g, x...);
    }
  }
};

template <class S>
void accumulate_into(Tensor<S, Cpu>& to, Tensor<S, Cpu> const& from) {
  Core<S, Accumulate, void(Tensor<S, Cpu>&, Tensor<S, Cpu> const&)>::get()(to, from);
}
template <class S>
void moment_update(MomentUpdate<Tensor<S, Cpu>> const& update) {
  Core<S, Update, void(MomentUpdate<Tensor<S, Cpu>> const&)>::get()(update);
}
template <class Of, class S>
S largest(Tensor<S, Cpu> const& x) {
  return Core<S, Largest<Of>, S(Tensor<S, Cpu> const&)>::get()(x);
}

}  // namespace consistency::cpu::compiled

#undef CONSISTENCY_DETAIL_CORE
#undef CONSISTENCY_DETAIL_STRINGS
#undef CONSISTENCY_DETAIL_CHECKS
