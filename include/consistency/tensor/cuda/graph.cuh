#pragma once

#include <consistency/tensor/cuda/graph.hpp>
#include <consistency/tensor/cuda/stream.cuh>

namespace consistency::cuda {

#ifdef __CUDACC__

CONSISTENCY_EXPORT Recording::~Recording() {
  if (work_) static_cast<void>(cudaGraphExecDestroy(work_));
}
CONSISTENCY_EXPORT void Recording::begin() {
  check(cudaStreamBeginCapture(current_stream(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
}
CONSISTENCY_EXPORT void Recording::end() {
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(current_stream(), &graph), "cudaStreamEndCapture");
  auto const status = cudaGraphInstantiate(&work_, graph, 0);
  static_cast<void>(cudaGraphDestroy(graph));
  check(status, "cudaGraphInstantiate");
}
CONSISTENCY_EXPORT void Recording::abandon() noexcept {
  cudaGraph_t graph = nullptr;
  static_cast<void>(cudaStreamEndCapture(current_stream(), &graph));
  if (graph) static_cast<void>(cudaGraphDestroy(graph));
  static_cast<void>(cudaGetLastError());
}
CONSISTENCY_EXPORT void Recording::launch() const {
  check(cudaGraphLaunch(work_, current_stream()), "cudaGraphLaunch");
}

#else

CONSISTENCY_EXPORT Recording::~Recording() = default;
CONSISTENCY_EXPORT void Recording::begin() {}
CONSISTENCY_EXPORT void Recording::end() {}
CONSISTENCY_EXPORT void Recording::abandon() noexcept {}
CONSISTENCY_EXPORT void Recording::launch() const {}

#endif

}  // namespace consistency::cuda
