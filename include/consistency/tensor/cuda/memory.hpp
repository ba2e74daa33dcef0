// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <cstddef>

#include <consistency/tensor/cuda/device.hpp>
#include <consistency/tensor/memory.hpp>

namespace consistency {

/// What consistency::cuda is compiled for. For others, include <consistency/tensor/cuda/library.cuh> in a
/// .cu.
template <class S>
concept CompiledScalar = std::same_as<S, float> || std::same_as<S, double>;

/// Declared here for any compiler; defined in the .cuh files, which nvcc compiles once, into
/// consistency::cuda.
namespace cuda {

/// Memory of the current device in the order of the current stream; throws resource_error with the bytes
/// asked for and free.
void* allocate(std::size_t bytes);
void release(void* memory) noexcept;

template <CompiledScalar S>
void fill(S* to, Index count, S value);
void copy(void* to, void const* from, std::size_t bytes);
void upload(void* to, void const* from, std::size_t bytes);
/// Waits until the numbers are there.
void download(void* to, void const* from, std::size_t bytes);

}  // namespace cuda

template <>
struct Memory<Cuda> {
  static constexpr bool host = false;
  static void* allocate(std::size_t bytes) { return cuda::allocate(bytes); }
  static void release(void* memory) noexcept { cuda::release(memory); }
  template <CompiledScalar S>
  static void fill(S* to, Index count, S value) {
    cuda::fill(to, count, value);
  }
  template <class S>
  static void copy(S* to, S const* from, Index count) {
    cuda::copy(to, from, static_cast<std::size_t>(count) * sizeof(S));
  }
  template <class S>
  static void upload(S* to, S const* from, Index count) {
    cuda::upload(to, from, static_cast<std::size_t>(count) * sizeof(S));
  }
  template <class S>
  static void download(S* to, S const* from, Index count) {
    cuda::download(to, from, static_cast<std::size_t>(count) * sizeof(S));
  }
  static void wait() { cuda::Stream::current().wait(); }
};

}  // namespace consistency
