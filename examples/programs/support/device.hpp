// SPDX-License-Identifier: MIT
#pragma once

// --device: where a program's tensors live, and what computes with them.

#include <string>
#include <type_traits>

#include <consistency/consistency.hpp>
#include <consistency/tensor/cuda/device.hpp>
#ifdef EXAMPLE_CUDA  // by CMake, where there is consistency::cuda
#include <consistency/cuda.hpp>
#endif

namespace example {

/// work.operator()<X>() with X the tensors of "cpu" or "cuda". Throws config_error where the program was
/// built without consistency::cuda, and device_error where no GPU can be used.
int on_device(std::string const& device, auto const& work) {
  using namespace consistency;
  if (device == "cpu") return work.template operator()<Tensor<float>>();
#ifdef EXAMPLE_CUDA
  if (auto const why = cuda::unavailable(); !why.empty())
    fail<device_error>("--device " + device, "no GPU can be used", why, "a CUDA device and its driver",
                       "--device cpu runs everywhere.");
  return work.template operator()<Tensor<float, Cuda>>();
#else
  fail<config_error>("--device", "the program was built without consistency::cuda", device, "cpu",
                     "Configure with cmake -DCONSISTENCY_CUDA=ON, which needs nvcc, and build again.");
#endif
}

/// What computes with tensors X, for people.
template <class X>
std::string device_name() {
  if constexpr (std::is_same_v<typename X::Backend, consistency::Cpu>)
    return "CPU";
  else
    return consistency::cuda::on_host() ? "CUDA kernels on the host" : "GPU";
}

}  // namespace example
