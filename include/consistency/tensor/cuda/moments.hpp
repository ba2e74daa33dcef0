// SPDX-License-Identifier: MIT
#pragma once

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

/// One pass over the arenas of training, as `moment_update` of CPU tensors.
template <class S>
void moment_update(MomentUpdate<Tensor<S, Cuda>> u) {
  cuda::moment_update<S>({u.step,
                          u.gradient_scale,
                          u.theta.count(),
                          u.gradient.data(),
                          u.first_moment.mutable_data(),
                          u.second_moment.mutable_data(),
                          u.theta.mutable_data(),
                          {u.averages[0].values.mutable_data(), u.averages[1].values.mutable_data()},
                          {u.averages[0].rate, u.averages[1].rate}});
}

}  // namespace consistency
