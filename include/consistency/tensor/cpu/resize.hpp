#pragma once

#include <algorithm>
#include <cmath>

#include <consistency/tensor/cpu/layout.hpp>

namespace consistency {

namespace cpu {

/// Linear interpolation along one axis from extent `in` to extent `out`, or its transpose: which inputs make
/// an output, and with which weights.
struct Interpolation {
  Index in, out;
  bool adjoint;

  /// visit(input, weight) for each of them.
  void each(Index o, auto const& visit) const {
    if (adjoint) {
      // The resized pixels that lie within a pixel of `o`, found by rounding outward.
      auto const per_pixel = static_cast<double>(in) / static_cast<double>(out);
      auto const first = std::floor((static_cast<double>(o) - 0.5) * per_pixel - 0.5);
      auto const last = std::ceil((static_cast<double>(o) + 1.5) * per_pixel - 0.5);
      auto const end = std::min(in, static_cast<Index>(last) + 1);
      for (auto i = std::max<Index>(0, static_cast<Index>(first)); i < end; ++i) {
        auto const weight = 1 - std::abs(position(i, out, in) - static_cast<double>(o));
        if (weight > 0) visit(i, weight);
      }
    } else {
      auto const p = position(o, in, out);
      auto const i = static_cast<Index>(p);
      auto const weight = p - static_cast<double>(i);
      visit(i, 1 - weight);
      if (weight > 0) visit(i + 1, weight);
    }
  }

 private:
  /// Where the resized pixel `r` lies in the image.
  static double position(Index r, Index image, Index resized) {
    auto const scale = static_cast<double>(image) / static_cast<double>(resized);
    return std::clamp((static_cast<double>(r) + 0.5) * scale - 0.5, 0.0, static_cast<double>(image - 1));
  }
};

}  // namespace cpu

/// Line by line: rows are mixed into one, then its pixels.
template <>
struct Kernel<op::Resize, Cpu> {
  template <class S>
  static Tensor<S, Cpu> value(op::Resize const& op, Tensor<S, Cpu> const& x) {
    auto y = Tensor<S, Cpu>{op.result(x.shape()), S(0)};
    auto const h = x.shape()[1];
    auto const w = x.shape()[2];
    auto const c = x.shape()[3];
    auto const rows = cpu::Interpolation{h, op.height, op.adjoint};
    auto const columns = cpu::Interpolation{w, op.width, op.adjoint};
    auto* const to = y.mutable_data();
    cpu::for_lines(y.shape()[0] * op.height, std::max(w, op.width) * c, [&](Index line) {
      auto mixed = Tensor<S, Cpu>{Shape{w * c}, S(0)};
      auto* const row = mixed.mutable_data();
      rows.each(line % op.height, [&](Index i, double weight) {
        add(weight, x.data() + (line / op.height * h + i) * w * c, w * c, row);
      });
      for (Index o = 0; o < op.width; ++o)
        columns.each(
            o, [&](Index i, double weight) { add(weight, row + i * c, c, to + (line * op.width + o) * c); });
    });
    return y;
  }

 private:
  /// to += weight · from
  template <class S>
  static void add(double weight, S const* from, Index count, S* to) {
    auto const factor = Pack<S>(weight);
    for_packs<S>(count, [&](auto lanes, Index k) {
      lanes.store(fma(factor, lanes.load(from + k), lanes.load(to + k)), to + k);
    });
  }
};

}  // namespace consistency
