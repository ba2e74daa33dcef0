// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <consistency/tensor/cuda/stream.cuh>

namespace consistency::cuda {

template <class S>
struct Fill {
  S* to;
  S value;
  CONSISTENCY_HD void operator()(Extent i) const { to[i] = value; }
};

template <CompiledScalar S>
void fill(S* to, Index count, S value) {
  for_each(count, Fill<S>{to, value});
}

/// Bytes that travel as an argument of a kernel: of the 4 KiB that arguments may have.
inline constexpr std::size_t small_upload = 2048;

inline void require_no_upload(std::size_t bytes) {
  if (recording())
    fail_recording("an upload of " + number_text(bytes) + " bytes",
                   "Upload before, to<Cuda>(x), what is larger than " + number_text(small_upload) +
                       " bytes, and work on the tensor.");
}
inline void require_no_download() {
  if (recording()) fail_recording("numbers that are read on the host", "Read them after run().");
}

#ifdef __CUDACC__

inline int current_device() {
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  return device;
}

/// Whether this thread has tried to release, while it recorded, memory that the recording did not allocate.
inline bool& released_while_recording() {
  thread_local bool released = false;
  return released;
}

/// The first use of a device. Freed memory stays with the device's pool: after the first step of a shape,
/// none is asked of the driver.
inline void prepare_device() {
  thread_local int prepared = -1;
  int device = 0;
  if (cudaGetDevice(&device) == cudaSuccess && device == prepared) return;
  if (auto const why = unavailable(); !why.empty())
    fail<device_error>("Tensor<S, Cuda>", "no GPU can be used", why,
                       "a CUDA device, its driver, and an architecture that consistency::cuda was "
                       "compiled for (CMAKE_CUDA_ARCHITECTURES)",
                       "Tensor<S> runs on the CPU.");
  cudaMemPool_t pool = nullptr;
  check(cudaDeviceGetDefaultMemPool(&pool, device), "cudaDeviceGetDefaultMemPool");
  auto all = UINT64_MAX;
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &all), "cudaMemPoolSetAttribute");
  prepared = device;
}

/// Gives memory of the device's pool that nothing uses back to the driver. False where work is recorded,
/// which must not wait.
inline bool trim_device() {
  if (recording()) return false;
  cudaMemPool_t pool = nullptr;
  check(cudaStreamSynchronize(current_stream()), "cudaStreamSynchronize");
  check(cudaDeviceGetDefaultMemPool(&pool, current_device()), "cudaDeviceGetDefaultMemPool");
  check(cudaMemPoolTrimTo(pool, 0), "cudaMemPoolTrimTo");
  return true;
}

CONSISTENCY_EXPORT void* allocate(std::size_t bytes) {
  prepare_device();
  void* memory = nullptr;
  auto const ask = [&] {
    auto const status = cudaMallocAsync(&memory, std::max<std::size_t>(bytes, 16), current_stream());
    if (status == cudaErrorMemoryAllocation)
      static_cast<void>(cudaGetLastError());  // or the next call would report it again
    return status;
  };
  auto status = ask();
  if (status == cudaErrorMemoryAllocation && trim_device()) status = ask();
  if (status == cudaErrorMemoryAllocation) {
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
    cudaMemPool_t pool = nullptr;
    std::uint64_t reserved = 0, used = 0;  // the pool's unused memory is free too
    check(cudaDeviceGetDefaultMemPool(&pool, current_device()), "cudaDeviceGetDefaultMemPool");
    check(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrReservedMemCurrent, &reserved),
          "cudaMemPoolGetAttribute");
    check(cudaMemPoolGetAttribute(pool, cudaMemPoolAttrUsedMemCurrent, &used), "cudaMemPoolGetAttribute");
    free += reserved - used;
    fail<resource_error>(
        "Tensor<S, Cuda>", "out of device memory", number_text(free) + " bytes free of " + number_text(total),
        number_text(bytes) + " bytes more",
        "Memory grows with the batch: use one of at most " +
            number_text(bytes == 0 ? 0 : 100 * free / (free + bytes)) + " percent of this size.");
  }
  check(status, "cudaMallocAsync");
  return memory;
}

// A process that ends takes its device memory along: errors of its last releases are of no use.
CONSISTENCY_EXPORT void release(void* memory) noexcept {
  if (cudaFreeAsync(memory, current_stream()) == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  released_while_recording() = true;
}

inline void move(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind) {
  if (bytes > 0) check(cudaMemcpyAsync(to, from, bytes, kind, current_stream()), "cudaMemcpyAsync");
}
CONSISTENCY_EXPORT void copy(void* to, void const* from, std::size_t bytes) {
  move(to, from, bytes, cudaMemcpyDeviceToDevice);
}
/// A few numbers that travel as an argument of a kernel.
struct SmallUpload {
  unsigned char byte[small_upload];
  unsigned char* to;
  CONSISTENCY_HD void operator()(Extent i) const { to[i] = byte[i]; }
};

/// Few numbers are copied here and now, so that a recording holds their values; many are read when the stream
/// comes to them, which a recording would do again at each launch.
CONSISTENCY_EXPORT void upload(void* to, void const* from, std::size_t bytes) {
  if (bytes <= small_upload) {
    SmallUpload few;
    std::memcpy(few.byte, from, bytes);
    few.to = static_cast<unsigned char*>(to);
    return for_each(static_cast<Index>(bytes), few);
  }
  require_no_upload(bytes);
  move(to, from, bytes, cudaMemcpyHostToDevice);
  check(cudaStreamSynchronize(current_stream()), "cudaStreamSynchronize");  // the source may go after this
}
CONSISTENCY_EXPORT void download(void* to, void const* from, std::size_t bytes) {
  require_no_download();
  move(to, from, bytes, cudaMemcpyDeviceToHost);
  check(cudaStreamSynchronize(current_stream()), "cudaStreamSynchronize");
}

#else

CONSISTENCY_EXPORT void* allocate(std::size_t bytes) {
  constexpr auto line = MemoryPool::alignment;
  auto const ask = [=]() -> void* {
    return bytes > SIZE_MAX / 2 ? nullptr : std::aligned_alloc(line, (bytes + line) / line * line);
  };
  auto* memory = ask();
  if (memory == nullptr) {
    MemoryPool::instance().trim();
    memory = ask();
  }
  if (memory == nullptr)
    fail<resource_error>("Tensor<S, Cuda>", "out of memory", "", number_text(bytes) + " bytes more",
                         "Use a smaller batch or network.");
  return memory;
}
CONSISTENCY_EXPORT void release(void* memory) noexcept { std::free(memory); }
CONSISTENCY_EXPORT void copy(void* to, void const* from, std::size_t bytes) {
  if (bytes > 0) std::memmove(to, from, bytes);
}
CONSISTENCY_EXPORT void upload(void* to, void const* from, std::size_t bytes) {
  if (bytes > small_upload) require_no_upload(bytes);
  copy(to, from, bytes);
}
CONSISTENCY_EXPORT void download(void* to, void const* from, std::size_t bytes) {
  require_no_download();
  copy(to, from, bytes);
}

#endif

/// Scratch memory of `count` numbers for the kernels of one operation.
template <class T>
class Buffer {
 public:
  explicit Buffer(Index count)
      : data_{count == 0 ? nullptr : static_cast<T*>(allocate(static_cast<std::size_t>(count) * sizeof(T)))} {
  }
  Buffer(Buffer const&) = delete;
  Buffer& operator=(Buffer const&) = delete;
  ~Buffer() {
    if (data_ != nullptr) release(data_);
  }
  T* data() const noexcept { return data_; }

 private:
  T* data_;
};

}  // namespace consistency::cuda
