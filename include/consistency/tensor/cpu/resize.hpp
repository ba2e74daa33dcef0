// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include <consistency/tensor/cpu/layout.hpp>
#include <consistency/tensor/interpolation.hpp>

namespace consistency {

/// Line by line: rows are mixed into one, then its pixels.
template <>
struct cpu::Kernel<op::Resize> {
  template <class S>
  static Tensor<S, Cpu> value(op::Resize const& op, Tensor<S, Cpu> const& x) {
    auto y = Tensor<S, Cpu>{op.result(x.shape()), S(0)};
    auto const h = x.shape()[1];
    auto const w = x.shape()[2];
    auto const c = x.shape()[3];
    auto const rows = Interpolation{h, op.height, op.adjoint, op.centre};
    auto const columns = Interpolation{w, op.width, op.adjoint, op.centre};
    auto* const to = y.mutable_data();
    cpu::for_lines(y.shape()[0] * op.height, std::max(w, op.width) * c, [&](Index line) {
      auto mixed = Tensor<S, Cpu>{Shape{w * c}, S(0)};
      auto* const row = mixed.mutable_data();
      auto const at = line % op.height;
      for (auto i = rows.first(at); i < rows.last(at); ++i)
        add(rows.weight(at, i), x.data() + (line / op.height * h + i) * w * c, w * c, row);
      for (Index o = 0; o < op.width; ++o)
        for (auto i = columns.first(o); i < columns.last(o); ++i)
          add(columns.weight(o, i), row + i * c, c, to + (line * op.width + o) * c);
    });
    return y;
  }

 private:
  /// to += weight · from
  template <class S>
  static void add(double weight, S const* from, Index count, S* to) {
    if (weight == 0) return;
    auto const factor = Pack<S>(weight);
    for_packs<S>(count, [&](auto lanes, Index k) {
      lanes.store(fma(factor, lanes.load(from + k), lanes.load(to + k)), to + k);
    });
  }
};

}  // namespace consistency
