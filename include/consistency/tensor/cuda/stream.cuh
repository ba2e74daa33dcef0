// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/tensor/cuda/device.cuh>

namespace consistency::cuda {

CONSISTENCY_EXPORT void set_precision(Precision precision) { current_precision() = precision; }
CONSISTENCY_EXPORT Precision precision() { return current_precision(); }
CONSISTENCY_EXPORT Stream Stream::current() { return borrowed(current_stream()); }

CONSISTENCY_EXPORT void set_convolution_path(ConvolutionPath path) {
  if (path == ConvolutionPath::cudnn && first_convolution_path != ConvolutionPath::cudnn)
    fail<config_error>("set_convolution_path", "path", "cudnn", "patches",
                       "consistency::cuda was compiled without cuDNN; with CONSISTENCY_CUDA=ON, "
                       "cuDNN_ROOT says where it is.");
  current_convolution_path() = path;
}
CONSISTENCY_EXPORT ConvolutionPath convolution_path() { return current_convolution_path(); }

inline void require_device(int device, int count) {
  if (device < 0 || device >= count)
    fail<config_error>("set_device", "device", number_text(device), "0 <= device < " + number_text(count),
                       unavailable());
}

/// A stream that records has nothing to wait for.
inline void require_no_wait(Stream::Handle stream) {
  if (stream == current_stream() && recording())
    fail_recording("waiting for the recorded stream", "Wait after run().");
}

#ifdef __CUDACC__

CONSISTENCY_EXPORT bool on_host() { return false; }
CONSISTENCY_EXPORT bool recording() {
  auto capturing = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(current_stream(), &capturing), "cudaStreamIsCapturing");
  return capturing != cudaStreamCaptureStatusNone;
}

/// What is sent to `later` from now on waits for what `earlier` has got until now.
inline void order(Stream::Handle earlier, Stream::Handle later) {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  auto status = cudaEventRecord(event, earlier);
  if (status == cudaSuccess) status = cudaStreamWaitEvent(later, event, 0);
  static_cast<void>(cudaEventDestroy(event));
  check(status, "cudaStreamWaitEvent");
}
CONSISTENCY_EXPORT StreamScope::StreamScope(Stream const& stream) : before_{current_stream()} {
  order(before_, stream.handle());
  current_stream() = stream.handle();
}
CONSISTENCY_EXPORT StreamScope::~StreamScope() {
  auto const mine = std::exchange(current_stream(), before_);
  try {
    order(mine, before_);
  } catch (error const&) {  // the next call reports what is wrong with the device
  }
}

namespace detail {
template <class S>
__global__ void probe() {}
}  // namespace detail

CONSISTENCY_EXPORT std::string unavailable() {
  int count = 0;
  auto status = cudaGetDeviceCount(&count);
  if (status == cudaSuccess && count == 0) status = cudaErrorNoDevice;
  if (status == cudaSuccess) {  // Was the library compiled for it?
    cudaFuncAttributes attributes{};
    status = cudaFuncGetAttributes(&attributes, detail::probe<float>);
  }
  static_cast<void>(cudaGetLastError());
  if (status == cudaSuccess) return {};
  return std::string{cudaGetErrorName(status)} + ": " + cudaGetErrorString(status);
}

CONSISTENCY_EXPORT Stream::Stream() : owned_{true} {
  check(cudaStreamCreateWithFlags(&handle_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
}
CONSISTENCY_EXPORT Stream::~Stream() {
  if (owned_) static_cast<void>(cudaStreamDestroy(handle_));
}
CONSISTENCY_EXPORT void Stream::wait() const {
  require_no_wait(handle_);
  check(cudaStreamSynchronize(handle_), "cudaStreamSynchronize");
}

CONSISTENCY_EXPORT void set_device(int device) {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) static_cast<void>(cudaGetLastError());
  require_device(device, count);
  check(cudaSetDevice(device), "cudaSetDevice");
}

#else

CONSISTENCY_EXPORT bool on_host() { return true; }
inline bool& host_recording() {
  thread_local auto recording = false;
  return recording;
}
CONSISTENCY_EXPORT bool recording() { return host_recording(); }
CONSISTENCY_EXPORT StreamScope::StreamScope(Stream const& stream) : before_{current_stream()} {
  current_stream() = stream.handle();
}
CONSISTENCY_EXPORT StreamScope::~StreamScope() { current_stream() = before_; }
CONSISTENCY_EXPORT std::string unavailable() { return {}; }
CONSISTENCY_EXPORT Stream::Stream() = default;
CONSISTENCY_EXPORT Stream::~Stream() = default;
CONSISTENCY_EXPORT void Stream::wait() const { require_no_wait(handle_); }
CONSISTENCY_EXPORT void set_device(int device) { require_device(device, 1); }

#endif

}  // namespace consistency::cuda
