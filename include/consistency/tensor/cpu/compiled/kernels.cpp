// SPDX-License-Identifier: MIT
// The kernels of consistency::compiled on tensors of CONSISTENCY_SCALAR, for the instruction set that this
// unit is compiled for: all that it shows of itself is where they are.
#include <string_view>

#include <consistency/tensor/cpu.hpp>
#include <consistency/tensor/cpu/compiled/calls.hpp>

namespace consistency::cpu {

#ifdef CONSISTENCY_SET
static_assert(
    std::string_view{CONSISTENCY_DETAIL_TEXT(CONSISTENCY_INSTRUCTIONS)} ==
        CONSISTENCY_DETAIL_TEXT(CONSISTENCY_SET),
    "consistency::compiled: CMAKE_CXX_FLAGS add instructions to those of CONSISTENCY_SET. Name them "
    "by -march=... alone, or take them for the whole core by CONSISTENCY_COMPILED=NATIVE.");
#endif

namespace compiled {

struct Value {
  template <class Op>
  static auto run(Op const& op, auto const&... x) {
    return cpu::Kernel<Op>::value(op, x...);
  }
};
struct Gradient {
  template <class Op>
  static auto run(Op const& op, auto const&... of) {
    return cpu::Kernel<Op>::vjp(op, of...);
  }
};
struct Derivative {
  template <class Op>
  static auto run(Op const& op, auto const&... of) {
    return cpu::Kernel<Op>::jvp(op, of...);
  }
};
struct Fill {
  template <class Distribution>
  static void run(Distribution const& distribution, auto& y, Key const& key, Counter const& first) {
    cpu::Kernel<Distribution>::fill(distribution, y, key, first);
  }
};
struct Accumulate {
  static void run(auto& to, auto const& from) { accumulate_into(to, from); }
};
struct Update {
  static void run(auto const& update) { moment_update(update); }
};
template <class Of>
struct Largest {
  static auto run(auto const& x) { return largest<Of>(x); }
};

namespace {

template <class What, class R, class... A>
R run(A... a) {
  return What::run(a...);
}
template <class What, class R, class... A>
Entry entry(Call<What, R(A...)> const*) {
  return reinterpret_cast<Entry>(&run<What, R, A...>);
}
template <class... C>
Entry const* table(TypeList<C...>) {
  static Entry const all[] = {entry(static_cast<C const*>(nullptr))...};
  return all;
}

}  // namespace

}  // namespace compiled

inline namespace CONSISTENCY_INSTRUCTIONS {

compiled::Entry const* entries(CONSISTENCY_SCALAR) {
  return compiled::table(compiled::Calls<Tensor<CONSISTENCY_SCALAR, Cpu>>{});
}

}  // namespace CONSISTENCY_INSTRUCTIONS

}  // namespace consistency::cpu
