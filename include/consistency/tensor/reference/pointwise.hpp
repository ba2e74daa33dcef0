// SPDX-License-Identifier: MIT
#pragma once

#include <array>

#include <consistency/tensor/expression.hpp>
#include <consistency/tensor/reference/index.hpp>

namespace consistency {

template <class F>
struct Kernel<Pointwise<F>, Reference> {
  template <class S, class... Rest>
  static Tensor<S, Reference> value(Pointwise<F> const& op, Tensor<S, Reference> const& x,
                                    Rest const&... rest) {
    auto shape = x.shape();
    ((shape = broadcast(shape, rest.shape())), ...);
    return reference::tabulate<S>(shape, [&](reference::Position const& p) {
      auto const leaf = [&](auto const& t) { return t[reference::broadcast_at(t.shape(), shape, p)]; };
      return op.f.template eval<0>(std::array<S, 1 + sizeof...(Rest)>{leaf(x), leaf(rest)...});
    });
  }
};

}  // namespace consistency
