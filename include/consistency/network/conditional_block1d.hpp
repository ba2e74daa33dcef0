// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <consistency/network/layer/convolution1d.hpp>
#include <consistency/network/layer/dropout.hpp>
#include <consistency/network/layer/film.hpp>
#include <consistency/network/layer/normalization.hpp>

namespace consistency {

/// Group normalisation of a convolution along one axis: the block of the 1-D U-Net before its Mish.
class ConvolutionBlock1d {
 public:
  /// Throws config_error as the two layers do.
  ConvolutionBlock1d(ParameterTable& table, std::string const& name, Index in, Index out, Index kernel,
                     Index groups)
      : convolution_{table,
                     name + ".block.0",
                     in,
                     out,
                     {.kernel = kernel, .distribution = WeightDistribution::torch}},
        norm_{table, name + ".block.1", out, {.groups = groups, .silu = false}} {}

  /// x (n, 1, t, in) → (n, 1, t, out)
  auto operator()(auto const& theta, Operand auto const& x) const {
    return norm_(theta, convolution_(theta, x));
  }

 private:
  Convolution1d convolution_;
  Normalization norm_;
};

struct ConditionalBlock1dSettings {
  Index condition;  ///< numbers of the condition
  Index kernel = 5;
  Index groups = 8;
  Modulation modulation = Modulation::scale;
  double dropout = 0;
};

/// A residual block of the conditional 1-D U-Net (Chi et al. 2023): of two convolution blocks, the first's
/// Mish modulated by the condition, plus x.
class ConditionalBlock1d {
 public:
  /// Throws config_error for sizes that do not fit each other, naming the layer.
  ConditionalBlock1d(ParameterTable& table, std::string const& name, Index in, Index out,
                     ConditionalBlock1dSettings s)
      : first_{table, name + ".blocks.0", in, out, s.kernel, s.groups},
        second_{table, name + ".blocks.1", out, out, s.kernel, s.groups},
        rate_{s.dropout},
        film_{table, name + ".cond_encoder.1", s.condition, out, s.modulation, WeightDistribution::torch},
        dropout_within_{s.dropout, static_cast<std::uint32_t>(table.entries().size())},
        dropout_of_sum_{s.dropout, static_cast<std::uint32_t>(table.entries().size() + 1)} {
    if (in != out)
      skip_.emplace(table, name + ".residual_conv", in, out,
                    ConvolutionSettings{.kernel = 1, .distribution = WeightDistribution::torch});
  }

  /// x (n, 1, t, in) and Mish of the condition, (n, c) → (n, 1, t, out)
  auto operator()(auto const& theta, Value auto const& x, Value auto const& context, Mode const& mode) const {
    auto const h = second_(theta, modulated(theta, first_(theta, x), context, mode));  // (n, 1, t, out)
    using H = value_t<decltype(h)>;
    return dropout_of_sum_(skip_ ? H(mish(h) + (*skip_)(theta, x)) : H(mish(h) + x), mode);
  }

 private:
  /// h (n, 1, t, out) → the same; without dropout in one pass.
  template <Value H>
  H modulated(auto const& theta, H const& h, Value auto const& context, Mode const& mode) const {
    if (!mode.training || rate_ == 0) return film_(theta, mish(h), context);
    return film_(theta, dropout_within_(H(mish(h)), mode), context);
  }

  ConvolutionBlock1d first_, second_;
  double rate_;
  Film film_;
  Dropout dropout_within_, dropout_of_sum_;
  std::optional<Convolution1d> skip_;
};

}  // namespace consistency
