// SPDX-License-Identifier: MIT
// What consistency::compiled records: operations on variables of CONSISTENCY_SCALAR. Their kernels are those
// that the program chooses, so this unit is compiled for any processor.
#include <consistency/autodiff/autodiff.hpp>

namespace consistency::compiled {

template <class Op, class T, std::size_t N>
Variable<T> recorded(Op const& op, std::array<Variable<T>, N> const& x) {
  return detail::recorded(op, x);
}

namespace {

using T = Tensor<CONSISTENCY_SCALAR, Cpu>;
using Entry = cpu::compiled::Entry;

template <class Call>
Entry entry(Call const*) {
  return nullptr;
}
template <class Op, class... X>
Entry entry(cpu::compiled::Call<cpu::compiled::Value, T(Op const&, X...)> const*) {
  if constexpr (records<Op, T, sizeof...(X)>) return reinterpret_cast<Entry>(&recorded<Op, T, sizeof...(X)>);
  return nullptr;
}
template <class... Call>
Entry const* functions(cpu::compiled::TypeList<Call...>) {
  static Entry const all[] = {entry(static_cast<Call const*>(nullptr))...};
  return all;
}

}  // namespace

/// Refers to all, so that they are compiled.
Entry const* all_recorded(CONSISTENCY_SCALAR) { return functions(cpu::compiled::Calls<T>{}); }

}  // namespace consistency::compiled
