// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

#include <consistency/condition/given.hpp>
#include <consistency/network/feature_network.hpp>
#include <consistency/parameterization/kind.hpp>
#include <consistency/population/frechet_slope.hpp>
#include <consistency/training/draw.hpp>
#include <consistency/training/method.hpp>

namespace consistency {

/// FD-loss (arXiv 2604.28190): after other training, the Fréchet distance of features between samples f(z, T)
/// and the data itself is minimised, at moments that are an average over the steps, a batch's share being 1 −
/// beta. That distance, and FID where the features are Inception's, is then no judge of the samples: measure
/// in others. The average is `moments.*` among the parameters, which `initialize` begins at the data's;
/// checkpoints hold it, `selected` leaves it out.
template <class F, class Features = IdentityFeatures>
class FdLoss {
  static_assert(may_be<F, Kind::consistency_function>,
                "FdLoss: what it trains must be a ConsistencyFunction; a Denoiser is none");

 public:
  static constexpr bool has_target = false;
  F f;

  /// `features` gives one map (n, …) of d numbers each, whose mean (d) and covariance (d, d) over the data
  /// are these. Throws as FrechetSlope, and config_error for a beta outside [0, 1).
  FdLoss(F function, Tensor<double> const& mean, Tensor<double> const& covariance, Features features = {},
         double beta = 0.999)
      : f{std::move(function)},
        features_{std::move(features)},
        slope_{mean, covariance},
        table_{f.network().parameters()},
        mean_{table_.add_constant("moments.mean", {1, slope_.dimensions()}, Initializer::zeros())},
        square_{table_.add_constant("moments.square", {slope_.dimensions(), slope_.dimensions()},
                                    Initializer::zeros())},
        beta_{beta} {
    check();
  }

  ParameterTable const& parameters() const noexcept { return table_; }  ///< the network's, then the moments
  /// Of a trained network's θ.
  template <class X>
  Parameters<X> initialize(Parameters<X> const& theta) const {
    Parameters<X> all{table_};
    for (auto const& entry : f.network().parameters().entries()) all.assign(entry.name, theta.at(entry.name));
    all.assign("moments.mean", to_numbers<X>(slope_.mean()));
    all.assign("moments.square", to_numbers<X>(slope_.square()));
    return all;
  }

  void check() const { require_rate("FdLoss", "beta", beta_); }
  double resolution(Index) const { return 0; }
  double rate(Index) const { return 0; }
  /// Which constants are averages of what a batch has, and how slow they are; the loss gives that as their
  /// gradient.
  std::array<ParameterId, 2> averaged_constants() const { return {mean_, square_}; }
  double averaging_rate() const { return beta_; }

  template <class X>
  Draws<X, 1> draw(X const& x0, Index k, Key key, std::uint32_t first = 0) const {
    auto const T = process_of(f).range().largest;
    return draw_for<1>(x0, k, key, first, [T](Key, Counter) { return std::array{T}; });
  }
  /// The distance at moments of which a share 1 − β is the batch's, to first order in that share, so that the
  /// parts of a batch add up, (). Throws shape_error for features of another size.
  template <class X>
  auto loss(auto const& theta, Parameters<X> const&, std::type_identity_t<Batch<X>> const& batch,
            Draws<X, 1> const& drawn) const {
    if (drawn.mode.recorded)
      fail<config_error>("FdLoss", "TrainerSettings::record", "true",
                         "false: the slope of the distance is computed on the host");
    auto const n = batch.count(), d = slope_.dimensions();
    X const x_T = process_of(f).prior(drawn.z);                                                 // (n, …)
    auto const x = with_condition(f, batch.condition)(theta, x_T, drawn.times[0], drawn.mode);  // (n, …)
    auto const phi = std::get<0>(features_(x));
    if (phi.shape().rank() == 0 || phi.shape()[0] != n || phi.shape().count() != n * d)
      fail<shape_error>("FdLoss", "features of generated samples", phi.shape().text(),
                        "(" + number_text(n) + ", ...) of " + number_text(d) + " numbers, as the data's");
    auto const rows = reshape(phi, {1, n, d});
    auto const share = 1 / static_cast<double>(n);
    auto const mean = evaluated(share * reshape(sum_to(rows, {1, 1, d}), {1, d}));  // (1, d)
    auto const square = reshape(
        attention_mix(reshape(phi, {1, 1, n, d}), rows, {.scale = share, .transposed = true}), {d, d});
    X const average_mean = stop_gradient(theta[mean_]), average_square = stop_gradient(theta[square_]);
    auto const at =
        slope_.at(to_numbers<Tensor<double>>(average_mean), to_numbers<Tensor<double>>(average_square));
    auto const towards = [&](auto const& own, X const& average, Tensor<double> const& slope) {
      return (1 - beta_) * sum(to_numbers<X>(slope) * (own - average));
    };
    auto const as_gradient = [](auto const& constant, X const& own) {  // 0, of gradient `own`
      return sum(own * (constant - X(stop_gradient(constant))));
    };
    return evaluated(towards(mean, average_mean, at.by_mean) + towards(square, average_square, at.by_square) +
                     as_gradient(theta[mean_], stop_gradient(mean)) +
                     as_gradient(theta[square_], stop_gradient(square)) + at.distance);
  }

 private:
  Features features_;
  FrechetSlope<> slope_;
  ParameterTable table_;
  ParameterId mean_, square_;
  double beta_;
};

}  // namespace consistency
