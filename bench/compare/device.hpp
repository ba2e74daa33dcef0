// SPDX-License-Identifier: MIT
#pragma once

// Where compare_ours computes: on the CPU; compare_ours_cuda (COMPARE_CUDA) on the CUDA backend, and where
// nvcc has compiled that (COMPARE_GPU) on a GPU.

#include <cstdlib>
#include <fstream>
#include <string>

#include <consistency/consistency.hpp>
#ifdef COMPARE_CUDA
#include <consistency/cuda.hpp>
#endif
#ifdef COMPARE_GPU
#include <cstdint>

#include <cuda_profiler_api.h>
#include <cuda_runtime_api.h>
#endif

namespace compare {

#ifdef COMPARE_CUDA
using Backend = consistency::Cuda;

/// Products and convolutions in bfloat16 from now on, and whether that can be.
inline bool in_bfloat16() {
  consistency::cuda::set_precision(consistency::cuda::Precision::bfloat16);
  return true;
}
inline void wait() { consistency::cuda::Stream::current().wait(); }
#else
using Backend = consistency::Cpu;

inline bool in_bfloat16() { return false; }
inline void wait() {}
#endif

#ifdef COMPARE_GPU
inline cudaMemPool_t pool() {
  cudaMemPool_t pool = nullptr;
  cudaDeviceGetDefaultMemPool(&pool, 0);
  return pool;
}
/// Gives unused memory back to the device.
inline void rest() {
  cudaMemPoolTrimTo(pool(), 0);
  cudaDeviceGraphMemTrim(0);
}
/// Of the device's memory, taken from the driver for tensors.
inline double peak_megabytes() {
  std::uint64_t tensors = 0, recorded = 0;
  cudaMemPoolGetAttribute(pool(), cudaMemPoolAttrReservedMemHigh, &tensors);
  cudaDeviceGetGraphMemAttribute(0, cudaGraphMemAttrReservedMemHigh, &recorded);
  return static_cast<double>(tensors + recorded) / (1 << 20);
}
/// What was before this, preparation, counts no more: neither for the peak nor for a profiler.
inline void begin() {
  rest();
  std::uint64_t none = 0;
  cudaMemPoolSetAttribute(pool(), cudaMemPoolAttrReservedMemHigh, &none);
  cudaDeviceSetGraphMemAttribute(0, cudaGraphMemAttrReservedMemHigh, &none);
  cudaProfilerStart();
}
#else
inline void rest() {}
/// Of resident memory.
inline double peak_megabytes() {
  auto status = std::ifstream{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::atof(line.c_str() + 6) / 1024;
  return 0;
}
inline void begin() { std::ofstream{"/proc/self/clear_refs"} << 5; }
#endif

}  // namespace compare
