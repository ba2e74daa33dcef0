// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include <consistency/core/check.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/tensor/functions.hpp>

namespace consistency {

/// The adjoint of a convolution along one axis with a window of 4, stride 2 and padding 1, plus a bias: twice
/// as many places, y(2m) = w₃ x(m − 1) + w₁ x(m) and y(2m + 1) = w₂ x(m) + w₀ x(m + 1). Between two
/// neighbours lie y(2m − 1) and y(2m): one product of pairs of neighbours and both taps of both.
class TransposedConvolution1d {
 public:
  /// Throws config_error without channels.
  TransposedConvolution1d(ParameterTable& table, std::string const& name, Index in, Index out,
                          WeightDistribution distribution = WeightDistribution::fan_in)
      : weight_{add_weight(table, name, in, out, distribution)},
        bias_{table.add(name + ".bias", {out}, Initializer::biases(distribution, 4 * out, 1))},
        in_{in},
        out_{out} {}

  /// x (n, 1, t, in) → (n, 1, 2 t, out)
  template <Operand X>
  auto operator()(auto const& theta, X const& lines) const {
    auto const& x = evaluated(lines);
    using T = tensor_of_t<decltype(x)>;
    auto const n = x.shape()[0], t = x.shape()[2];
    auto const zero = T(Shape{n, in_}, typename T::Scalar(0));               // (n, in)
    auto const wide = concat(concat(zero, reshape(x, {n, t * in_})), zero);  // (n, (t + 2) · in)
    auto const all = (t + 1) * in_;
    auto const before = reshape(slice(wide, 0, all), {n, t + 1, in_});          // (n, t + 1, in)
    auto const behind = reshape(slice(wide, in_, in_ + all), {n, t + 1, in_});  // (n, t + 1, in)
    auto const w = reshape(theta[weight_], {2 * in_, 2 * out_});                // (2 in, 2 out)
    auto const y = linear(concat(before, behind), w);                           // (n, t + 1, 2 out)
    auto const inner = slice(reshape(y, {n, 2 * (t + 1) * out_}), out_, (2 * t + 1) * out_);
    return evaluated(reshape(inner, {n, 1, 2 * t, out_}) + theta[bias_]);  // (n, 1, 2 t, out)
  }

 private:
  static ParameterId add_weight(ParameterTable& table, std::string const& name, Index in, Index out,
                                WeightDistribution distribution) {
    require_within(name, "channels in", in, 1, max_channels);
    require_within(name, "channels out", out, 1, max_channels);
    // PyTorch takes the outputs of a transposed convolution for its inputs; two of the taps meet at a place.
    auto const torch = distribution == WeightDistribution::torch;
    return table.add(name + ".weight", {2, in, 2 * out},
                     Initializer::weights(distribution, torch ? 4 * out : 2 * in, 2 * out, 1), 1,
                     TorchAxes::transposed_line);
  }

  ParameterId weight_, bias_;
  Index in_, out_;
};

}  // namespace consistency
