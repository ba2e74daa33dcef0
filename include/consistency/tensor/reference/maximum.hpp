// SPDX-License-Identifier: MIT
#pragma once

#include <complex>

#include <consistency/tensor/ops.hpp>
#include <consistency/tensor/reference/index.hpp>

namespace consistency {

namespace reference {

/// Is b larger than a, or NaN? Of complex numbers the real parts are compared.
template <class S>
bool exceeded(S a, S b) {
  using std::real;
  return real(a) < real(b) || real(b) != real(b);
}

}  // namespace reference

template <>
struct Kernel<op::MaxPool, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::MaxPool const& op, Tensor<S, Reference> const& x) {
    return value(op, x, x);
  }
  template <class S>
  static Tensor<S, Reference> value(op::MaxPool const& op, Tensor<S, Reference> const& x,
                                    Tensor<S, Reference> const& d) {
    return reference::tabulate<S>(op.result(x.shape(), d.shape()), [&](reference::Position const& p) {
      auto const at = [&](Index i, Index j) {
        return reference::at(x.shape(), p[0], 2 * p[1] + i, 2 * p[2] + j, p[3]);
      };
      auto best = at(0, 0);
      for (auto const candidate : {at(0, 1), at(1, 0), at(1, 1)})
        if (reference::exceeded(x[best], x[candidate])) best = candidate;
      return d[best];
    });
  }
};

template <>
struct Kernel<op::MaxPerSample, Reference> {
  template <class S>
  static Tensor<S, Reference> value(op::MaxPerSample const& op, Tensor<S, Reference> const& x) {
    return value(op, x, x);
  }
  template <class S>
  static Tensor<S, Reference> value(op::MaxPerSample const& op, Tensor<S, Reference> const& x,
                                    Tensor<S, Reference> const& d) {
    auto y = Tensor<S, Reference>{op.result(x.shape(), d.shape())};
    for (Index n = 0; n < y.count(); ++n) {
      auto const size = x.count() / y.count();
      auto best = n * size;
      for (auto i = best; i < (n + 1) * size; ++i)
        if (reference::exceeded(x[best], x[i])) best = i;
      y.mutable_data()[n] = d[best];
    }
    return y;
  }
};

}  // namespace consistency
