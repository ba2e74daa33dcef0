// SPDX-License-Identifier: MIT
// consistency::cuda: everything that tensor/cuda/*.hpp declare, compiled once.
#include <consistency/tensor/cuda/library.cuh>

namespace consistency::cuda {

#define CONSISTENCY_INSTANTIATE(S)                                                      \
  template void fill(S*, Index, S);                                                     \
  template void run(PointwiseRun<S> const&);                                            \
  template void sum_middle(S const*, Index, Index, Index, S*);                          \
  template void softmax(S const*, Index, Index, S*);                                    \
  template void softmax_gradient(S const*, S const*, Index, Index, S*);                 \
  template void concat(S const*, S const*, Index, Index, Index, S*);                    \
  template void slice(S const*, Index, Index, Index, Index, S*);                        \
  template void upsample(S const*, Index, Index, Index, S*);                            \
  template void downsample(S const*, Index, Index, Index, S*);                          \
  template void blur(S const*, Index, Index, Index, Index, S*);                         \
  template void space_to_depth(S const*, Index, Index, Index, Index, bool, S*);         \
  template void resize(S const*, Shape const&, Shape const&, bool, double, S*);         \
  template void max_pool(S const*, S const*, Index, Index, Index, S*);                  \
  template void max_pool_gradient(S const*, S const*, Index, Index, Index, S*);         \
  template void max_per_row(S const*, S const*, Index, Index, S*);                      \
  template void max_per_row_gradient(S const*, S const*, Index, Index, S*);             \
  template void gemm(Gemm<S> const&);                                                   \
  template void convolve(Convolution const&, S const*, S const*, S const*, S*);         \
  template void convolve_data_gradient(Convolution const&, S const*, S const*, S*);     \
  template void convolve_weight_gradient(Convolution const&, S const*, S const*, S*);   \
  template void group_statistics(GroupNormRun<S> const&);                               \
  template void group_norm(GroupNormRun<S> const&, S*);                                 \
  template void group_norm_sums(GroupNormRun<S> const&, S const*, S*);                  \
  template void group_norm_gradient(GroupNormRun<S> const&, S const*, S const*, S*);    \
  template void draw(distribution::Normal const&, Key, Counter, Index, Index, S*);      \
  template void draw(distribution::Uniform const&, Key, Counter, Index, Index, S*);     \
  template void draw(distribution::DropoutMask const&, Key, Counter, Index, Index, S*); \
  template void moment_update(MomentRun<S> const&);

CONSISTENCY_INSTANTIATE(float)
CONSISTENCY_INSTANTIATE(double)

}  // namespace consistency::cuda
