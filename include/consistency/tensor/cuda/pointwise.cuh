// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include <consistency/tensor/cuda/device.cuh>
#include <consistency/tensor/cuda/pointwise.hpp>

namespace consistency::cuda {

/// W neighbouring numbers, read and written at once.
template <class S, int W>
struct alignas(sizeof(S) * W) Numbers {
  S x[W];
};

/// One step of a program on W numbers.
template <class S, int W>
CONSISTENCY_HD void step(Code code, Numbers<S, W> const& a, Numbers<S, W> const& b, Numbers<S, W>& to) {
  using std::cos, std::erfc, std::exp, std::fabs, std::log, std::sin, std::sqrt, std::tanh;
  auto const each = [&](auto const& f) {
    for (int w = 0; w < W; ++w) to.x[w] = f(a.x[w], b.x[w]);
  };
  switch (code) {
    case Code::add:
      return each([](S p, S q) { return p + q; });
    case Code::subtract:
      return each([](S p, S q) { return p - q; });
    case Code::multiply:
      return each([](S p, S q) { return p * q; });
    case Code::divide:
      return each([](S p, S q) { return p / q; });
    case Code::maximum:
      return each([](S p, S q) { return scalar::maximum(p, q); });
    case Code::negate:
      return each([](S p, S) { return -p; });
    case Code::exp:
      return each([](S p, S) { return exp(p); });
    case Code::log:
      return each([](S p, S) { return log(p); });
    case Code::sqrt:
      return each([](S p, S) { return sqrt(p); });
    case Code::sin:
      return each([](S p, S) { return sin(p); });
    case Code::cos:
      return each([](S p, S) { return cos(p); });
    case Code::tanh:
      return each([](S p, S) { return tanh(p); });
    case Code::absolute:
      return each([](S p, S) { return fabs(p); });
    case Code::sign:
      return each([](S p, S) { return scalar::sign(p); });
    case Code::relu:
      return each([](S p, S) { return scalar::relu(p); });
    case Code::erfc:
      return each([](S p, S) { return erfc(p); });
    case Code::constant:
    case Code::leaf:
      return;
  }
}

/// Computes W neighbouring elements of the result.
template <class S, int W>
struct RunProgram {
  PointwiseRun<S> work;

  CONSISTENCY_HD void operator()(Extent group) const {
    using N = Numbers<S, W>;
    auto const& p = work.program;
    auto const inner = static_cast<Extent>(work.inner);
    auto const at = group * W;
    auto const along = at % inner;
    N slot[Program::max_slots];
    for (int i = 0; i < p.length; ++i) {
      auto const in = p.code[i];
      if (in.code == Code::constant) {
        for (int w = 0; w < W; ++w) slot[in.to].x[w] = static_cast<S>(p.constant[in.a]);
      } else if (in.code == Code::leaf) {
        auto const step = static_cast<Extent>(work.inner_stride[in.a]);
        auto offset = along * step;
        auto rest = at / inner;
        for (int axis = 0; axis < work.axes; ++axis) {
          auto const e = static_cast<Extent>(work.extent[axis]);
          offset += rest % e * static_cast<Extent>(work.stride[axis][in.a]);
          rest /= e;
        }
        auto const* const from = work.from[in.a] + offset;
        if (step != 0) {
          slot[in.to] = *reinterpret_cast<N const*>(from);
        } else {
          for (int w = 0; w < W; ++w) slot[in.to].x[w] = *from;
        }
      } else {
        step(in.code, slot[in.a], slot[in.b], slot[in.to]);
      }
    }
    for (int k = 0; k < p.outputs; ++k) *reinterpret_cast<N*>(work.to[k] + at) = slot[p.output[k]];
  }
};

template <CompiledScalar S>
void run(PointwiseRun<S> const& work) {
  constexpr int wide = 16 / sizeof(S);
  auto fits = work.inner % wide == 0;
  for (int k = 0; k < work.leaves; ++k)
    if (work.inner_stride[k] != 0) {
      fits = fits && aligned({work.from[k]});
      for (int a = 0; a < work.axes; ++a) fits = fits && work.stride[a][k] % wide == 0;
    }
  for (int k = 0; k < work.program.outputs; ++k) fits = fits && aligned({work.to[k]});
  static_cast<void>(extent(work.count));
  if (fits) {
    for_each(work.count / wide, RunProgram<S, wide>{work});
  } else {
    for_each(work.count, RunProgram<S, 1>{work});
  }
}

}  // namespace consistency::cuda
