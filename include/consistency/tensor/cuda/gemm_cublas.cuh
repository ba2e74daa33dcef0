// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <cublasLt.h>

#include <consistency/tensor/cuda/gemm.hpp>
#include <consistency/tensor/cuda/handle.cuh>

namespace consistency::cuda {

/// c (m, n) += bias (n) in every row.
template <class S>
struct AddBias {
  S* c;
  S const* bias;
  Extent columns, pitch;
  CONSISTENCY_HD void operator()(Extent i) const {
    c[i / columns * pitch + i % columns] += bias[i % columns];
  }
};

inline void check(cublasStatus_t status, char const* where) {
  if (status != CUBLAS_STATUS_SUCCESS)
    fail<device_error>(where, "cuBLASLt call", cublasLtGetStatusString(status), "success");
}

/// One product's descriptors and the algorithm chosen for it; found once for each thread, device and shape.
template <class S, class Factor>
class GemmPlan {
 public:
  static constexpr std::size_t workspace_bytes = std::size_t{32} << 20U;  // what NVIDIA advises for Hopper

  // cuBLAS is column-major: a row-major C = A B is Cᵀ = Bᵀ Aᵀ there, so A and B change places.
  explicit GemmPlan(Gemm<S, Factor> const& p, bool tf32) {
    constexpr auto type = sizeof(S) == 4 ? CUDA_R_32F : CUDA_R_64F;
    constexpr auto factor = sizeof(Factor) == 2 ? CUDA_R_16BF : type;
    auto const compute = sizeof(S) == 8 ? CUBLAS_COMPUTE_64F
                         : tf32         ? CUBLAS_COMPUTE_32F_FAST_TF32
                                        : CUBLAS_COMPUTE_32F;
    check(cublasLtMatmulDescCreate(&operation_.handle, compute, type), "cublasLtMatmulDescCreate");
    set(CUBLASLT_MATMUL_DESC_TRANSA, p.b_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_TRANSB, p.a_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, p.bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT);
    // The heuristic reads an alignment off the address: it gets one that promises no more than the key does.
    auto const least = std::uintptr_t{aligned({p.bias}) ? 16 : sizeof(S)};
    if (p.bias) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, reinterpret_cast<void const*>(least));
    auto const batch = static_cast<int>(p.batch);
    describe(left_, factor, p.n, p.k, p.b_transposed, p.ldb, batch, p.stride_b);
    describe(right_, factor, p.k, p.m, p.a_transposed, p.lda, batch, p.stride_a);
    describe(result_, type, p.n, p.m, false, p.ldc, batch, p.stride_c);
    Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy> preference;
    check(cublasLtMatmulPreferenceCreate(&preference.handle), "cublasLtMatmulPreferenceCreate");
    check(cublasLtMatmulPreferenceSetAttribute(preference.handle, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                               &workspace_bytes, sizeof(workspace_bytes)),
          "cublasLtMatmulPreferenceSetAttribute");
    // Views may begin anywhere: nothing is promised of addresses beyond that of a number.
    std::uint32_t const at = aligned({p.a, p.b, p.c}) ? 16 : sizeof(Factor);
    for (auto const matrix :
         {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
          CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
      check(cublasLtMatmulPreferenceSetAttribute(preference.handle, matrix, &at, sizeof(at)),
            "cublasLtMatmulPreferenceSetAttribute");
    }
    auto const choose = [&] {
      int found = 0;
      auto const status = cublasLtMatmulAlgoGetHeuristic(handle(), operation_.handle, left_.handle,
                                                         right_.handle, result_.handle, result_.handle,
                                                         preference.handle, 1, &choice_, &found);
      return status == CUBLAS_STATUS_SUCCESS && found == 0 ? CUBLAS_STATUS_NOT_SUPPORTED : status;
    };
    auto status = choose();
    if (p.bias && status == CUBLAS_STATUS_NOT_SUPPORTED) {  // then the bias comes after the product
      adds_bias_ = false;
      set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT);
      status = choose();
    }
    check(status, "cublasLtMatmulAlgoGetHeuristic");
  }

  void run(Gemm<S, Factor> const& p) {
    if (p.bias && adds_bias_) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
    auto const alpha = static_cast<S>(p.alpha), beta = static_cast<S>(p.beta);
    Buffer<std::byte> const workspace{static_cast<Index>(choice_.workspaceSize)};
    check(cublasLtMatmul(handle(), operation_.handle, &alpha, p.b, left_.handle, p.a, right_.handle, &beta,
                         p.c, result_.handle, p.c, result_.handle, &choice_.algo, workspace.data(),
                         choice_.workspaceSize, current_stream()),
          "cublasLtMatmul");
    for (Index i = 0; i < p.batch && p.bias && !adds_bias_; ++i)
      for_each(p.m * p.n, AddBias<S>{p.c + i * p.stride_c, p.bias, static_cast<Extent>(p.n),
                                     static_cast<Extent>(p.ldc)});
  }

 private:
  static cublasLtHandle_t handle() {
    return of_current_device<cublasLtHandle_t, cublasLtDestroy>(
        [](cublasLtHandle_t* made) { check(cublasLtCreate(made), "cublasLtCreate"); });
  }

  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, T const& value) {
    check(cublasLtMatmulDescSetAttribute(operation_.handle, attribute, &value, sizeof(value)),
          "cublasLtMatmulDescSetAttribute");
  }

  using Layout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;

  /// A column-major matrix of rows × columns, or its transpose as stored.
  static void describe(Layout& layout, cudaDataType type, Index rows, Index columns, bool transposed,
                       Index pitch, int batch, Index stride) {
    auto const r = static_cast<std::uint64_t>(transposed ? columns : rows);
    auto const c = static_cast<std::uint64_t>(transposed ? rows : columns);
    check(cublasLtMatrixLayoutCreate(&layout.handle, type, r, c, pitch), "cublasLtMatrixLayoutCreate");
    check(cublasLtMatrixLayoutSetAttribute(layout.handle, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &batch,
                                           sizeof(batch)),
          "cublasLtMatrixLayoutSetAttribute");
    std::int64_t const step = stride;
    check(cublasLtMatrixLayoutSetAttribute(layout.handle, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &step,
                                           sizeof(step)),
          "cublasLtMatrixLayoutSetAttribute");
  }

  Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy> operation_;
  Layout left_, right_, result_;
  cublasLtMatmulHeuristicResult_t choice_{};
  bool adds_bias_ = true;
};

template <class S, class Factor>
void multiply(Gemm<S, Factor> const& p) {
  using Key = std::array<Index, 18>;
  struct Known {
    Key key;
    GemmPlan<S, Factor> plan;
  };
  thread_local std::vector<Known> known;
  auto const tf32 = precision() == Precision::tf32;
  auto const key = Key{p.m,
                       p.n,
                       p.k,
                       p.lda,
                       p.ldb,
                       p.ldc,
                       p.batch,
                       p.stride_a,
                       p.stride_b,
                       p.stride_c,
                       p.a_transposed,
                       p.b_transposed,
                       p.bias != nullptr,
                       p.beta != 0,
                       tf32,
                       aligned({p.a, p.b, p.c}),
                       aligned({p.bias}),
                       current_device()};
  for (auto& entry : known)
    if (entry.key == key) return entry.plan.run(p);
  known.push_back({key, GemmPlan<S, Factor>{p, tf32}});
  known.back().plan.run(p);
}

}  // namespace consistency::cuda
