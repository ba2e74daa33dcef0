// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cuda/device.hpp>
#include <consistency/tensor/cuda/memory.hpp>
#include <consistency/tensor/recorder.hpp>
#include <consistency/tensor/trace.hpp>

struct CUgraphExec_st;

namespace consistency {

namespace cuda {

/// Work that is done and recorded by the first run, and sent again by later ones in one piece, without the
/// launch of each of its kernels. It must not read numbers on the host, draws the same random ones each time,
/// and leaves its results in tensors that it did not make:
///
///   cuda::Graph graph;
///   for (…) {
///     noise.assign(…);
///     graph.run([&] { images.assign(f(theta, noise, times)); });
///   }
///
/// What it works on must live as long as the recording. On the host, and where this thread traces operations,
/// the work is done anew by each run; on the host what could not be recorded fails too.
class Graph {
 public:
  Graph() = default;
  Graph(Graph const&) = delete;
  Graph& operator=(Graph const&) = delete;
  ~Graph() { reset(); }

  /// Throws device_error for work that cannot be recorded, such as reading on the host.
  void run(auto const& work) {
    if (ActiveTrace::current) return work();
    if (work_) return launch();
    if (!on_host()) work();  // what is made once, such as plans of products, is made now
    Stream const stream;
    StreamScope const scope{stream};
    begin();
    try {
      work();
    } catch (...) {
      abandon();
      throw;
    }
    end();
  }
  /// The next run records anew.
  void reset() noexcept;

 private:
  static void begin();  ///< this thread's work is recorded on the current stream, not done
  static void abandon() noexcept;
  void end();
  void launch() const;

  CUgraphExec_st* work_ = nullptr;
};

}  // namespace cuda

template <>
struct Recorder<Cuda> : cuda::Graph {
  static bool recording() { return cuda::recording(); }
};

}  // namespace consistency
