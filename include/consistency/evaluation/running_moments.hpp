// SPDX-License-Identifier: MIT
#pragma once

#include <utility>

#include <consistency/evaluation/frechet_distance.hpp>

namespace consistency {

/// Mean and covariance of features that come in batches, in double (Chan et al. 1979): a set that is too
/// large for memory has the Gaussian that Gaussian::of has of all of it, to rounding.
class RunningMoments {
 public:
  /// Features (n, …). Throws as SampleSet::of, and shape_error for another dimension than before.
  template <class S>
  void add(Tensor<S> const& features) {
    auto const set = SampleSet::of(features, "RunningMoments", 1);
    if (count_ > 0 && set.dimensions != mean_.size())
      fail<shape_error>("RunningMoments", "dimensions of a batch", number_text(set.dimensions),
                        number_text(mean_.size()) + ", as before");
    auto [mean, scatter] = detail::mean_and_scatter(features, set);
    auto const n = static_cast<double>(set.count), before = static_cast<double>(count_);
    if (count_ == 0) {
      mean_ = std::move(mean), scatter_ = std::move(scatter);
    } else {
      Eigen::VectorXd const apart = mean - mean_;
      scatter_ += scatter + apart * apart.transpose() * (before * n / (before + n));
      mean_ += apart * (n / (before + n));
    }
    count_ += set.count;
  }

  Index count() const noexcept { return count_; }
  /// Throws dataset_error for fewer than two samples.
  Gaussian gaussian() const {
    if (count_ < 2)
      fail<dataset_error>("RunningMoments", "samples", number_text(count_), "2 or more",
                          "A spread cannot be estimated from fewer.");
    return {mean_, scatter_ / static_cast<double>(count_ - 1)};
  }

 private:
  Index count_ = 0;
  Eigen::VectorXd mean_;     // (d)
  Eigen::MatrixXd scatter_;  // (d, d): Σ (x − mean) (x − mean)ᵀ
};

}  // namespace consistency
