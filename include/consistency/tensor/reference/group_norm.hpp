// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <complex>

#include <consistency/tensor/ops.hpp>
#include <consistency/tensor/reference/index.hpp>

namespace consistency {

/// (x − mean) / √(variance + ε) · scale + shift. The variance is the mean of squares, not of squared moduli:
/// it is analytic, as the complex step needs.
template <>
struct Kernel<op::GroupNorm, Reference> {
  template <class S>
  using Array = Tensor<S, Reference>;

  template <class S>
  static Array<S> value(op::GroupNorm const& op, Array<S> const& x, Array<S> const& scale,
                        Array<S> const& shift) {
    using std::sqrt;
    auto const shape = op.result(x.shape(), scale.shape(), shift.shape());
    auto const width = shape[3] / op.groups;
    auto const mean_over_group = [&](auto const& f) {  // (n, groups): the mean of f(n, group, element of x)
      return reference::tabulate<S>({shape[0], op.groups}, [&](reference::Position const& p) {
        S total(0);
        for (Index i = 0; i < shape[1]; ++i)
          for (Index j = 0; j < shape[2]; ++j)
            for (Index c = p[1] * width; c < (p[1] + 1) * width; ++c)
              total += f(p[0], p[1], x[reference::at(shape, p[0], i, j, c)]);
        return total / S(static_cast<double>(shape[1] * shape[2] * width));
      });
    };
    auto const mean = mean_over_group([](Index, Index, S v) { return v; });
    auto const variance = mean_over_group([&](Index n, Index group, S v) {
      auto const d = v - mean[n * op.groups + group];
      return d * d;
    });
    return reference::tabulate<S>(shape, [&](reference::Position const& p) {
      auto const group = p[0] * op.groups + p[3] / width;
      auto const own = reference::broadcast_at(scale.shape(), shape, p);
      auto const centred = x[reference::at(shape, p[0], p[1], p[2], p[3])] - mean[group];
      S const u = centred / sqrt(variance[group] + S(op.epsilon)) * scale[own] + shift[own];
      return op.silu ? u * scalar::sigmoid(u) : u;
    });
  }
};

}  // namespace consistency
