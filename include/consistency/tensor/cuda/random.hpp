// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cuda/memory.hpp>
#include <consistency/tensor/random.hpp>

namespace consistency {

namespace cuda {

/// Draws of law::Normal, Uniform or DropoutMask for `samples` rows of `per_sample` numbers.
template <class Law, CompiledScalar S>
void draw(Law const& law, Key key, Counter first, Index samples, Index per_sample, S* to);

template <class Law>
struct Draws {
  template <class S>
  static void fill(Law const& law, Tensor<S, Cuda>& y, Key key, Counter first) {
    if (y.count() == 0) return;
    auto const samples = y.shape().rank() == 0 ? Index{1} : y.shape()[0];
    draw(law, key, first, samples, y.count() / samples, y.mutable_data());
  }
};

}  // namespace cuda

template <>
struct Kernel<law::Normal, Cuda> : cuda::Draws<law::Normal> {};
template <>
struct Kernel<law::Uniform, Cuda> : cuda::Draws<law::Uniform> {};
template <>
struct Kernel<law::DropoutMask, Cuda> : cuda::Draws<law::DropoutMask> {};

}  // namespace consistency
