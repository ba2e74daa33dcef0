// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cuda/memory.hpp>
#include <consistency/tensor/random.hpp>

namespace consistency {

namespace cuda {

/// Draws of distribution::Normal, Uniform or DropoutMask for `samples` rows of `per_sample` numbers.
template <class Distribution, CompiledScalar S>
void draw(Distribution const& distribution, Key key, Counter first, Index samples, Index per_sample, S* to);

template <class Distribution>
struct Draws {
  template <class S>
  static void fill(Distribution const& distribution, Tensor<S, Cuda>& y, Key key, Counter first) {
    if (y.count() == 0) return;
    auto const samples = y.shape().rank() == 0 ? Index{1} : y.shape()[0];
    draw(distribution, key, first, samples, y.count() / samples, y.mutable_data());
  }
};

}  // namespace cuda

template <>
struct Kernel<distribution::Normal, Cuda> : cuda::Draws<distribution::Normal> {};
template <>
struct Kernel<distribution::Uniform, Cuda> : cuda::Draws<distribution::Uniform> {};
template <>
struct Kernel<distribution::DropoutMask, Cuda> : cuda::Draws<distribution::DropoutMask> {};

}  // namespace consistency
