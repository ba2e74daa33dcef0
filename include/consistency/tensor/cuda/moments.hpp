#pragma once

#include <array>

#include <consistency/tensor/cuda/memory.hpp>
#include <consistency/tensor/moment_step.hpp>
#include <consistency/tensor/tensor.hpp>

namespace consistency {

namespace cuda {

/// The arenas of moment_update; an average that is null is skipped.
template <class S>
struct MomentRun {
  MomentStep step;
  double gradient_scale;
  Index count;
  S const* gradient;
  S* m;
  S* v;
  S* theta;
  S* average[2];
  double mu[2];
};
template <CompiledScalar S>
void moment_update(MomentRun<S> const& work);

}  // namespace cuda

/// See the CPU's.
template <class S>
void moment_update(MomentStep const& step, double gradient_scale, Tensor<S, Cuda> const& gradient,
                   Tensor<S, Cuda>& m, Tensor<S, Cuda>& v, Tensor<S, Cuda>& theta,
                   std::array<Tensor<S, Cuda>, 2> averages, std::array<double, 2> mu) {
  cuda::moment_update<S>({step,
                          gradient_scale,
                          theta.count(),
                          gradient.data(),
                          m.mutable_data(),
                          v.mutable_data(),
                          theta.mutable_data(),
                          {averages[0].mutable_data(), averages[1].mutable_data()},
                          {mu[0], mu[1]}});
}

}  // namespace consistency
