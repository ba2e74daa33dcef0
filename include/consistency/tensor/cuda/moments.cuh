// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include <consistency/tensor/cuda/moments.hpp>
#include <consistency/tensor/cuda/pointwise.cuh>

namespace consistency::cuda {

template <class S, int W>
struct UpdateMoments {
  MomentRun<S> work;
  CONSISTENCY_HD void operator()(Extent group) const {
    using std::sqrt;
    using N = Numbers<S, W>;
    auto const& s = work.step;
    auto const at = group * W;
    auto const load = [at](S const* from) { return *reinterpret_cast<N const*>(from + at); };
    auto const store = [at](S* to, N const& value) { *reinterpret_cast<N*>(to + at) = value; };
    auto const g = load(work.gradient);
    auto m = load(work.m), v = load(work.v), theta = load(work.theta);
    for (int w = 0; w < W; ++w) {
      auto const gw = static_cast<S>(work.gradient_scale) * g.x[w];
      m.x[w] = static_cast<S>(s.beta1) * m.x[w] + static_cast<S>(1 - s.beta1) * gw;
      v.x[w] = static_cast<S>(s.beta2) * v.x[w] + static_cast<S>(1 - s.beta2) * (gw * gw);
      auto const moved = static_cast<S>(s.rate) * m.x[w];
      theta.x[w] -= s.adaptive ? moved / (sqrt(v.x[w]) + static_cast<S>(s.epsilon)) : moved;
    }
    store(work.m, m);
    store(work.v, v);
    store(work.theta, theta);
    for (int k = 0; k < 2; ++k) {
      if (work.average[k] == nullptr) continue;
      auto a = load(work.average[k]);
      for (int w = 0; w < W; ++w)
        a.x[w] = static_cast<S>(work.mu[k]) * a.x[w] + static_cast<S>(1 - work.mu[k]) * theta.x[w];
      store(work.average[k], a);
    }
  }
};

template <CompiledScalar S>
void moment_update(MomentRun<S> const& work) {
  static_cast<void>(extent(work.count));
  constexpr int wide = 16 / sizeof(S);
  if (work.count % wide == 0 &&
      aligned({work.gradient, work.m, work.v, work.theta, work.average[0], work.average[1]})) {
    for_each(work.count / wide, UpdateMoments<S, wide>{work});
  } else {
    for_each(work.count, UpdateMoments<S, 1>{work});
  }
}

}  // namespace consistency::cuda
