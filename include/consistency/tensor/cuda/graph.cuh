// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/cuda/graph.hpp>
#include <consistency/tensor/cuda/memory.cuh>

namespace consistency::cuda {

#ifdef __CUDACC__

CONSISTENCY_EXPORT void Graph::reset() noexcept {
  if (work_) static_cast<void>(cudaGraphExecDestroy(work_));
  work_ = nullptr;
}
CONSISTENCY_EXPORT void Graph::begin() {
  released_while_recording() = false;
  check(cudaStreamBeginCapture(current_stream(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
}
CONSISTENCY_EXPORT void Graph::end() {
  cudaGraph_t graph = nullptr;
  auto const ended = cudaStreamEndCapture(current_stream(), &graph);
  if (released_while_recording()) {
    if (graph) static_cast<void>(cudaGraphDestroy(graph));
    static_cast<void>(cudaGetLastError());
    fail<config_error>("Graph", "recorded work", "a tensor of outside that is replaced",
                       "results that are copied into it", "Write x.assign(...) instead of x = ....");
  }
  check(ended, "cudaStreamEndCapture");
  auto const status = cudaGraphInstantiate(&work_, graph, 0);
  static_cast<void>(cudaGraphDestroy(graph));
  check(status, "cudaGraphInstantiate");
}
CONSISTENCY_EXPORT void Graph::abandon() noexcept {
  cudaGraph_t graph = nullptr;
  static_cast<void>(cudaStreamEndCapture(current_stream(), &graph));
  if (graph) static_cast<void>(cudaGraphDestroy(graph));
  static_cast<void>(cudaGetLastError());
}
CONSISTENCY_EXPORT void Graph::launch() const {
  check(cudaGraphLaunch(work_, current_stream()), "cudaGraphLaunch");
}

#else

CONSISTENCY_EXPORT void Graph::reset() noexcept {}
CONSISTENCY_EXPORT void Graph::begin() { host_recording() = true; }
CONSISTENCY_EXPORT void Graph::end() { host_recording() = false; }
CONSISTENCY_EXPORT void Graph::abandon() noexcept { host_recording() = false; }
CONSISTENCY_EXPORT void Graph::launch() const {}

#endif

}  // namespace consistency::cuda
