// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <initializer_list>

#include <consistency/tensor/cuda/conv2d_patches.cuh>
#ifdef CONSISTENCY_CUDNN
#include <consistency/tensor/cuda/conv2d_cudnn.cuh>
#endif

namespace consistency::cuda {

/// Calls f with the implementation of this convolution: cuDNN's where it takes images and bias at these
/// addresses, or the product of patches.
template <class S, class F>
void convolved([[maybe_unused]] Convolution const& s,
               [[maybe_unused]] std::initializer_list<void const*> addresses, F const& f) {
#ifdef CONSISTENCY_CUDNN
  if constexpr (std::same_as<S, float>)
    if (convolution_path() == ConvolutionPath::cudnn && CudnnConvolution::suits(s, addresses))
      return f(CudnnConvolution{});
#endif
  f(PatchConvolution{});
}

template <CompiledScalar S>
void convolve(Convolution const& s, S const* x, S const* w, S const* bias, S* y) {
  convolved<S>(s, {x, bias, y}, [&](auto way) { way.value(s, x, w, bias, y); });
}

template <CompiledScalar S>
void convolve_data_gradient(Convolution const& s, S const* g, S const* w, S* dx) {
  convolved<S>(s, {g, dx}, [&](auto way) { way.data_gradient(s, g, w, dx); });
}

template <CompiledScalar S>
void convolve_weight_gradient(Convolution const& s, S const* x, S const* g, S* dw) {
  convolved<S>(s, {x, g}, [&](auto way) { way.weight_gradient(s, x, g, dw); });
}

}  // namespace consistency::cuda
