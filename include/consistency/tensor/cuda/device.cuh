// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#ifdef __CUDACC__
#include <cuda_runtime_api.h>
#include <thrust/system/cuda/execution_policy.h>
#include <thrust/system_error.h>
#else
#include <thrust/system/cpp/execution_policy.h>
#endif
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>

#include <consistency/core/device.hpp>
#include <consistency/core/error.hpp>
#include <consistency/tensor/cuda/device.hpp>
#include <consistency/tensor/cuda/memory.hpp>

/// A definition that consistency::cuda must hold although it does not call it itself.
#define CONSISTENCY_EXPORT __attribute__((used)) inline

namespace consistency::cuda {

/// Indices on the device: divisions of 32 bits are much faster than of 64.
using Extent = std::int32_t;

inline Extent extent(Index count) {
  if (count > INT32_MAX)
    fail<resource_error>("Tensor<S, Cuda>", "elements in one operation", number_text(count),
                         "at most " + number_text(INT32_MAX), "Use a smaller batch.");
  return static_cast<Extent>(count);
}

inline Stream::Handle& current_stream() {
  thread_local Stream::Handle stream = nullptr;
  return stream;
}
inline Precision& current_precision() {
  thread_local auto precision = Precision::float32;
  return precision;
}

/// Throws device_error: `found` cannot be recorded.
[[noreturn]] inline void fail_recording(std::string found, std::string advice) {
  fail<device_error>("Graph", "recorded work", std::move(found), "work that stays on the device",
                     std::move(advice));
}

#ifdef CONSISTENCY_CUDNN
inline constexpr auto first_convolution_path = ConvolutionPath::cudnn;
#else
inline constexpr auto first_convolution_path = ConvolutionPath::patches;
#endif
inline ConvolutionPath& current_convolution_path() {
  thread_local auto path = first_convolution_path;
  return path;
}

#ifdef __CUDACC__

/// Throws device_error, naming the call that reported it: an earlier kernel may be to blame.
inline void check(cudaError_t status, char const* where) {
  if (status == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // or the next call would report it again
  fail<device_error>(where, "CUDA call",
                     std::string{cudaGetErrorName(status)} + ": " + cudaGetErrorString(status), "success",
                     "Errors of earlier kernels show up late; CUDA_LAUNCH_BLOCKING=1 tells which "
                     "it was. After a sticky error the process must be started anew.");
}

#endif

/// Whether 16 bytes may be read and written at once at all of these addresses.
inline bool aligned(std::initializer_list<void const*> addresses) {
  return std::all_of(addresses.begin(), addresses.end(),
                     [](void const* p) { return reinterpret_cast<std::uintptr_t>(p) % 16 == 0; });
}

#ifdef __CUDACC__
template <class F>
__global__ void __launch_bounds__(256) each_kernel(Extent count, __grid_constant__ F const f) {
  auto const i = static_cast<Index>(blockIdx.x) * 256 + threadIdx.x;
  if (i < count) f(static_cast<Extent>(i));
}
#endif

/// f(i) for every i of [0, count), in any order and at the same time. Thrust's kernels copy f into each
/// thread: a large one, of which they would keep the copy in slow memory, is read where the launch has put
/// it.
template <class F>
void for_each(Index count, F const& f) {
  if (count == 0) return;
  auto const first = thrust::counting_iterator<Extent>(0);
#ifdef __CUDACC__
  if constexpr (sizeof(F) > 256) {
    each_kernel<<<static_cast<unsigned>((Index{extent(count)} + 255) / 256), 256, 0, current_stream()>>>(
        extent(count), f);
    check(cudaPeekAtLastError(), "each_kernel");
  } else {
    try {
      thrust::for_each_n(thrust::cuda::par_nosync.on(current_stream()), first, extent(count), f);
    } catch (thrust::system_error const& failure) {
      check(static_cast<cudaError_t>(failure.code().value()), "thrust::for_each_n");
    }
  }
#else
  thrust::for_each_n(thrust::cpp::par, first, extent(count), f);
#endif
}

/// The threads that share one row of a matrix: on the device the 32 of a warp, on the host one.
struct Team {
#ifdef __CUDA_ARCH__
  static __device__ Extent size() { return 32; }
  __device__ Extent rank() const { return static_cast<Extent>(threadIdx.x); }
  /// f over what each thread of the team has, in an order that never changes.
  template <class T, class F>
  __device__ T combined(T mine, F const& f) const {
    for (int distance = 16; distance > 0; distance /= 2) {
      T other;
      auto const* const from = reinterpret_cast<unsigned const*>(&mine);
      auto* const to = reinterpret_cast<unsigned*>(&other);
      static_assert(sizeof(T) % sizeof(unsigned) == 0);
      for (unsigned i = 0; i < sizeof(T) / sizeof(unsigned); ++i)
        to[i] = __shfl_xor_sync(0xffffffffU, from[i], distance);
      // Both partners compute f(lower, upper): the same bits in every thread.
      mine = (rank() & distance) == 0 ? f(mine, other) : f(other, mine);
    }
    return mine;
  }
#else
  CONSISTENCY_HD static Extent size() { return 1; }
  CONSISTENCY_HD Extent rank() const { return 0; }
  template <class T, class F>
  CONSISTENCY_HD T combined(T mine, F const&) const {
    return mine;
  }
#endif
};

#ifdef __CUDACC__
template <class F>
__global__ void __launch_bounds__(128) team_kernel(Extent rows, F f) {
  auto const row = static_cast<Extent>(blockIdx.x * blockDim.y + threadIdx.y);
  if (row < rows) f(Team{}, row);
}
#endif

/// f(team, row) for every row of [0, rows).
template <class F>
void for_each_row(Index rows, F const& f) {
  if (rows == 0) return;
#ifdef __CUDACC__
  auto const blocks = static_cast<unsigned>((Index{extent(rows)} + 3) / 4);
  team_kernel<<<blocks, dim3{32, 4}, 0, current_stream()>>>(extent(rows), f);
  check(cudaPeekAtLastError(), "for_each_row");
#else
  for_each(rows, [f](Extent row) { f(Team{}, row); });
#endif
}

}  // namespace consistency::cuda
