// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/core/shape.hpp>

struct CUstream_st;

namespace consistency::cuda {

/// Why no GPU can be used (no driver, no device, an architecture that the library was not compiled for);
/// empty where one can.
std::string unavailable();

/// Whether consistency::cuda was compiled for the host: the same kernels as plain loops, for machines without
/// a GPU.
bool on_host();

/// A queue of work on the current device. The work of one thread goes to its current stream: the default one,
/// or the one of the innermost StreamScope.
class Stream {
 public:
  using Handle = CUstream_st*;  // cudaStream_t

  Stream();  ///< a new queue; throws device_error where there is no device
  /// Somebody else's queue, which this object does not end.
  static Stream borrowed(Handle handle) { return Stream{handle, false}; }
  static Stream current();  ///< this thread's, borrowed
  Stream(Stream&& other) noexcept : handle_{other.handle_}, owned_{other.owned_} { other.owned_ = false; }
  Stream& operator=(Stream&&) = delete;
  ~Stream();

  Handle handle() const noexcept { return handle_; }
  void wait() const;  ///< until all work of the queue is done; throws what went wrong on the device

 private:
  Stream(Handle handle, bool owned) : handle_{handle}, owned_{owned} {}
  Handle handle_ = nullptr;
  bool owned_ = false;
};

/// Sends this thread's work to `stream` for as long as it lives. It begins after what the stream before has
/// got until then, which in turn goes on after it. Streams of two threads need an order of the user's own.
class StreamScope {
 public:
  explicit StreamScope(Stream const& stream);
  StreamScope(StreamScope const&) = delete;
  StreamScope& operator=(StreamScope const&) = delete;
  ~StreamScope();

 private:
  Stream::Handle before_;
};

/// Whether this thread's work is being recorded by a Graph, and so must not read numbers on the host.
bool recording();

/// Chooses this thread's device, 0, 1, …, before its first tensor: those that exist stay where they are.
/// Throws config_error where there is no such device.
void set_device(int device);

/// How float32 products and convolutions are computed; sums are always in float32, and everything else,
/// parameters, optimizer and statistics too, is as stored.
enum class Precision {
  float32,   ///< factors as they are
  tf32,      ///< factors rounded to 11 significant bits by the tensor cores
  bfloat16,  ///< factors rounded to 8 significant bits, half the memory to read
};
/// For this thread's work from now on; float32 at first.
void set_precision(Precision precision);
Precision precision();

/// What computes convolutions of float32 that are wider than 1×1 or strided. Those of float64, and of views
/// that do not begin at 16 bytes, are computed from patches.
enum class ConvolutionPath {
  patches,  ///< what the weights see of each pixel is copied to a row of a matrix, for a product
  cudnn,    ///< cuDNN's deterministic engines
};
/// For this thread's work from now on; at first cudnn where consistency::cuda was compiled with it. Throws
/// config_error where it was not.
void set_convolution_path(ConvolutionPath path);
ConvolutionPath convolution_path();

}  // namespace consistency::cuda
