#pragma once

#include <utility>

#include <consistency/tensor/cuda/device.hpp>

struct CUgraphExec_st;

namespace consistency::cuda {

/// The kernels between begin() and end(), as one piece of work.
class Recording {
 public:
  Recording() = default;
  Recording(Recording const&) = delete;
  Recording& operator=(Recording const&) = delete;
  ~Recording();

  void begin();  ///< this thread's work is recorded on the current stream, not done
  void end();    ///< throws device_error for work that cannot be recorded, such as reading on the host
  void abandon() noexcept;
  void launch() const;

 private:
  CUgraphExec_st* work_ = nullptr;
};

/// Work that is done once, recorded, and sent again by launch() in one piece, without the launch of each of
/// its kernels. It must not read numbers on the host, and leaves its results in tensors that it did not make:
///
///   cuda::Graph const draw{[&] { images.assign(f(theta, noise, times)); }};
///   noise.assign(…);
///   draw.launch();
///
/// What it works on must live as long as it. On the host the work is done anew at each launch.
template <class Work>
class Graph {
 public:
  explicit Graph(Work work) : work_{std::move(work)} {
    work_();  // what is made once, such as plans of products, is made now
    if (on_host()) return;
    Stream const stream;
    StreamScope const scope{stream};
    recording_.begin();
    try {
      work_();
    } catch (...) {
      recording_.abandon();
      throw;
    }
    recording_.end();
  }

  void launch() const {
    if (on_host()) {
      work_();
    } else {
      recording_.launch();
    }
  }

 private:
  Work work_;
  Recording recording_;
};

}  // namespace consistency::cuda
