// SPDX-License-Identifier: MIT
#pragma once

#include <initializer_list>

#include <consistency/tensor/cuda/conv2d_plan.cuh>
#include <consistency/tensor/cuda/gemm.cuh>

namespace consistency::cuda {

/// The images of a product. For bfloat16 they are rounded and stay in float32, since cuDNN has no engine that
/// reads bfloat16 and writes float32: TF32's tensor cores multiply rounded numbers without a further error.
class CudnnImages {
 public:
  CudnnImages(float const* from, Index count)
      : rounded_{precision() == Precision::bfloat16 ? count : 0},
        data_{rounded_.data() == nullptr ? from : rounded_.data()} {
    if (rounded_.data() != nullptr) round_factor(from, 1, 1, count, count, 0, rounded_.data());
  }
  float const* data() const { return data_; }

 private:
  Buffer<float> rounded_;
  float const* data_;
};

struct TransposeMatrix {
  float const* from;
  float* to;
  Extent rows, columns;  // of `from`
  bool rounded;          // to bfloat16
  CONSISTENCY_HD void operator()(Extent i) const {
    auto const x = from[i % rows * columns + i / rows];
    to[i] = rounded ? static_cast<float>(BFloat16::rounded(x)) : x;
  }
};

/// Weights as cuDNN has them beside images (n, h, w, c): (o, k, l, c), the transpose of (k, l, c, o) as a
/// matrix of o columns.
class CudnnWeights {
 public:
  explicit CudnnWeights(Convolution const& s)
      : rows_{static_cast<Extent>(s.depth())}, columns_{static_cast<Extent>(s.o)}, data_{count()} {}

  void read(float const* w) const {
    for_each(count(), TransposeMatrix{w, data(), rows_, columns_, precision() == Precision::bfloat16});
  }
  void write(float* w) const { for_each(count(), TransposeMatrix{data(), w, columns_, rows_, false}); }
  float* data() const { return data_.data(); }

 private:
  Index count() const { return Index{rows_} * columns_; }
  Extent rows_, columns_;
  Buffer<float> data_;
};

/// Convolutions of float32 by cuDNN.
struct CudnnConvolution {
  /// Its engines are told that addresses are multiples of 16 bytes; a product as it stands is cuBLASLt's.
  static bool suits(Convolution const& s, std::initializer_list<void const*> addresses) {
    return s.n > 0 && s.h > 0 && s.w > 0 && s.c > 0 && s.o > 0 && !s.is_product() && aligned(addresses);
  }

  static void value(Convolution const& s, float const* x, float const* w, float const* bias, float* y) {
    CudnnImages const images{x, s.n * s.h * s.w * s.c};
    CudnnWeights const weights{s};
    weights.read(w);
    convolution_plan(s, Sought::y, bias != nullptr).run(images.data(), weights.data(), y, bias);
  }
  static void data_gradient(Convolution const& s, float const* g, float const* w, float* dx) {
    CudnnImages const results{g, s.n * s.out_h() * s.out_w() * s.o};
    CudnnWeights const weights{s};
    weights.read(w);
    convolution_plan(s, Sought::x, false).run(dx, weights.data(), results.data(), nullptr);
  }
  static void weight_gradient(Convolution const& s, float const* x, float const* g, float* dw) {
    CudnnImages const images{x, s.n * s.h * s.w * s.c}, results{g, s.n * s.out_h() * s.out_w() * s.o};
    CudnnWeights const gradient{s};
    convolution_plan(s, Sought::w, false).run(images.data(), gradient.data(), results.data(), nullptr);
    gradient.write(dw);
  }
};

}  // namespace consistency::cuda
