// SPDX-License-Identifier: MIT
#pragma once

#include <consistency/tensor/ops.hpp>

namespace consistency {

/// The verbs that networks and losses are written in, for any value type; shapes and meaning stand at the
/// operation of the same name in ops.hpp. A chain of element-wise operations may be passed anywhere.

auto sum_to(Operand auto const& x, Shape target) { return apply(op::SumTo{target}, evaluated(x)); }
auto broadcast_to(Operand auto const& x, Shape target) {
  return apply(op::BroadcastTo{target}, evaluated(x));
}
auto reshape(Operand auto const& x, Shape target) { return apply(op::Reshape{target}, evaluated(x)); }
auto concat(Operand auto const& a, Operand auto const& b) {
  return apply(op::Concat{}, evaluated(a), evaluated(b));
}
auto slice(Operand auto const& x, Index begin, Index end) {
  return apply(op::Slice{begin, end}, evaluated(x));
}
auto linear(Operand auto const& x, Operand auto const& weight) {
  return apply(op::Linear{}, evaluated(x), evaluated(weight));
}
auto linear(Operand auto const& x, Operand auto const& weight, Operand auto const& bias) {
  return apply(op::Linear{}, evaluated(x), evaluated(weight), evaluated(bias));
}
auto conv2d(Operand auto const& x, Operand auto const& weight, Index stride = 1) {
  return apply(op::Conv2d{stride}, evaluated(x), evaluated(weight));
}
auto conv2d(Operand auto const& x, Operand auto const& weight, Operand auto const& bias, Index stride = 1) {
  return apply(op::Conv2d{stride}, evaluated(x), evaluated(weight), evaluated(bias));
}
auto conv2d(Operand auto const& x, Operand auto const& weight, Operand auto const& bias,
            Operand auto const& residual, double scale) {
  return apply(op::Conv2d{1, scale}, evaluated(x), evaluated(weight), evaluated(bias), evaluated(residual));
}
auto upsample(Operand auto const& x) { return apply(op::Upsample{}, evaluated(x)); }
auto downsample(Operand auto const& x) { return apply(op::Downsample{}, evaluated(x)); }
auto blur(Operand auto const& x) { return apply(op::Blur{}, evaluated(x)); }
auto resize(Operand auto const& x, Index height, Index width, double centre = 0.5) {
  return apply(op::Resize{height, width, false, centre}, evaluated(x));
}
auto max_pool(Operand auto const& x) { return apply(op::MaxPool{}, evaluated(x)); }
auto max_per_sample(Operand auto const& x) { return apply(op::MaxPerSample{}, evaluated(x)); }
auto space_to_depth(Operand auto const& x, Index patch) {
  return apply(op::SpaceToDepth{patch}, evaluated(x));
}
auto depth_to_space(Operand auto const& x, Index patch) {
  return apply(op::DepthToSpace{patch}, evaluated(x));
}
auto group_norm(Operand auto const& x, Operand auto const& scale, Operand auto const& shift,
                op::GroupNorm settings) {
  return apply(settings, evaluated(x), evaluated(scale), evaluated(shift));
}
auto softmax(Operand auto const& x) { return apply(op::Softmax{}, evaluated(x)); }
auto attention(Operand auto const& q, Operand auto const& k, Operand auto const& v,
               op::Attention settings = {}) {
  return apply(settings, evaluated(q), evaluated(k), evaluated(v));
}
auto attention_scores(Operand auto const& q, Operand auto const& k, op::AttentionScores settings) {
  return apply(settings, evaluated(q), evaluated(k));
}
auto attention_mix(Operand auto const& p, Operand auto const& v, op::AttentionMix settings = {}) {
  return apply(settings, evaluated(p), evaluated(v));
}

/// Sum and mean of all elements, shape ().
auto sum(Operand auto const& x) { return sum_to(x, Shape{}); }
auto mean(Operand auto const& x) {
  auto const& v = evaluated(x);
  value_t<decltype(v)> m = sum(v) * (1.0 / static_cast<double>(v.shape().count()));
  return m;
}
/// One number per sample, shape (n, 1, …, 1).
auto sum_per_sample(Operand auto const& x) {
  auto const& v = evaluated(x);
  return sum_to(v, v.shape().per_sample());
}
auto mean_per_sample(Operand auto const& x) {
  auto const& v = evaluated(x);
  auto const& shape = v.shape();
  auto const samples = shape.rank() == 0 ? Index{1} : shape[0];
  value_t<decltype(v)> m =
      sum_per_sample(v) * (static_cast<double>(samples) / static_cast<double>(shape.count()));
  return m;
}

}  // namespace consistency
