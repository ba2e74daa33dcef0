// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include <consistency/tensor/cuda/conv2d.hpp>
#include <consistency/tensor/cuda/cudnn.cuh>

namespace consistency::cuda {

/// Which of y = x ∗ w is computed from the other two.
enum class Sought { y, x, w };

/// One convolution as an operation graph of cuDNN, and the engine chosen for it; found once for each thread,
/// device and shape.
class ConvolutionPlan {
 public:
  ConvolutionPlan(Convolution const& s, Sought sought, bool biased, bool tensor_cores)
      : biased_{biased},
        choice_{chosen(s, sought, biased, tensor_cores)},
        workspace_{choice_.plan.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64)
                       .front()} {}

  /// Numbers lie as cuDNN has them: images (n, h, w, c), weights (o, k, l, c). One of the three is written.
  void run(float const* x, float const* w, float const* y, float const* bias) const {
    Buffer<std::byte> const workspace{workspace_};
    std::vector<std::int64_t> ids{id_x, id_w, id_y};
    std::vector<void const*> addresses{x, w, y};
    if (biased_) ids.push_back(id_b), addresses.push_back(bias);
    CudnnDescriptor call{CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR};
    call.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids)
        .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, addresses)
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, workspace.data())
        .finish();
    check(cudnnBackendExecute(cudnn_handle(), choice_.plan.handle(), call.handle()), "cudnnBackendExecute");
  }

 private:
  enum Id : std::int64_t { id_x = 1, id_w, id_b, id_y, id_product };

  struct Choice {
    CudnnDescriptor proposal, plan;
  };

  /// (n, c, h, w) with the channels innermost; a virtual one is never in memory.
  static CudnnDescriptor tensor(std::int64_t id, std::vector<std::int64_t> const& d,
                                bool is_virtual = false) {
    CudnnDescriptor result{CUDNN_BACKEND_TENSOR_DESCRIPTOR};
    result.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, id)
        .set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, d)
        .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64,
             std::vector{d[1] * d[2] * d[3], std::int64_t{1}, d[3] * d[1], d[1]})
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, std::int64_t{16})
        .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, is_virtual)
        .finish();
    return result;
  }

  static CudnnDescriptor convolution(Convolution const& s, Sought sought, CudnnDescriptor const& x,
                                     CudnnDescriptor const& w, CudnnDescriptor const& y) {
    std::vector<std::int64_t> const padding{s.k / 2, s.l / 2}, strides(2, s.stride), dilations(2, 1);
    CudnnDescriptor settings{CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR};
    settings.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
        .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, CUDNN_CROSS_CORRELATION)
        .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, std::int64_t{2})
        .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, padding)
        .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, padding)
        .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, strides)
        .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, dilations)
        .finish();
    auto const with = [&](cudnnBackendDescriptorType_t operation,
                          std::array<CudnnDescriptor::Name, 6> names) {
      CudnnDescriptor result{operation};
      result.set(names[0], settings)
          .set(names[1], x)
          .set(names[2], w)
          .set(names[3], y)
          .set(names[4], CUDNN_TYPE_FLOAT, 1.0F)
          .set(names[5], CUDNN_TYPE_FLOAT, 0.0F)
          .finish();
      return result;
    };
    switch (sought) {
      case Sought::x:
        return with(
            CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
            {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA});
      case Sought::w:
        return with(
            CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
            {CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
             CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA});
      default:
        return with(
            CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
            {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
             CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
             CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA});
    }
  }

  static CudnnDescriptor sum(CudnnDescriptor const& a, CudnnDescriptor const& b, CudnnDescriptor const& y) {
    CudnnDescriptor add{CUDNN_BACKEND_POINTWISE_DESCRIPTOR};
    add.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, CUDNN_POINTWISE_ADD)
        .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_FLOAT)
        .finish();
    CudnnDescriptor result{CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR};
    result.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, add)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, a)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y)
        .finish();
    return result;
  }

  /// The first engine by cuDNN's heuristics that gives the same bits at every call and keeps to the
  /// precision: timing would choose another one on another day.
  static Choice chosen(Convolution const& s, Sought sought, bool biased, bool tensor_cores) {
    auto const x = tensor(id_x, {s.n, s.c, s.h, s.w});
    auto const w = tensor(id_w, {s.o, s.c, s.k, s.l});
    auto const b = tensor(id_b, {1, s.o, 1, 1});
    auto const y = tensor(id_y, {s.n, s.o, s.out_h(), s.out_w()});
    auto const product = tensor(id_product, {s.n, s.o, s.out_h(), s.out_w()}, true);
    auto const convolve = convolution(s, sought, x, w, biased ? product : y);
    auto const add_bias = sum(product, b, y);
    std::vector operations{convolve.handle()};
    if (biased) operations.push_back(add_bias.handle());
    CudnnDescriptor graph{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR};
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, cudnn_handle())
        .set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations)
        .finish();
    for (auto const mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
      CudnnDescriptor heuristics{CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR};
      heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
          .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
      if (!heuristics.try_finish()) continue;
      for (auto& proposal :
           heuristics.parts(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR)) {
        if (!suits(proposal, tensor_cores)) continue;
        CudnnDescriptor plan{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR};
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, cudnn_handle())
            .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, proposal);
        if (plan.try_finish()) return {std::move(proposal), std::move(plan)};
      }
    }
    fail<device_error>(
        "conv2d", "cuDNN's engines",
        "none for weights " + Shape{s.k, s.l, s.c, s.o}.text() + ", stride " + number_text(s.stride),
        "one that is deterministic and computes in this precision",
        "cuda::set_convolution_path(cuda::ConvolutionPath::patches) does without.");
  }

  static bool suits(CudnnDescriptor const& proposal, bool tensor_cores) {
    auto const engine = proposal.parts(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    for (auto const note : engine.front().get<cudnnBackendNumericalNote_t>(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                                                           CUDNN_TYPE_NUMERICAL_NOTE)) {
      if (note == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC || note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS ||
          note == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION)
        return false;
      if (note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE && !tensor_cores) return false;
    }
    return true;
  }

  bool biased_;
  Choice choice_;
  Index workspace_;
};

inline ConvolutionPlan const& convolution_plan(Convolution const& s, Sought sought, bool biased) {
  using Key = std::array<Index, 12>;
  struct Known {
    Key key;
    ConvolutionPlan plan;
  };
  static_cast<void>(cudnn_handle());  // is made before the plans, and so outlives them
  thread_local std::vector<Known> known;
  auto const tensor_cores = precision() != Precision::float32;
  auto const key = Key{s.n,    s.h,          s.w,
                       s.c,    s.k,          s.l,
                       s.o,    s.stride,     static_cast<Index>(sought),
                       biased, tensor_cores, current_device()};
  for (auto const& entry : known)
    if (entry.key == key) return entry.plan;
  known.push_back({key, ConvolutionPlan{s, sought, biased, tensor_cores}});
  return known.back().plan;
}

}  // namespace consistency::cuda
