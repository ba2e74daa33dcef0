// SPDX-License-Identifier: MIT
#pragma once

// What is learned, and how well: points with a perceptron, images with a U-Net.

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <consistency/data/batches.hpp>
#include <consistency/data/checkerboard.hpp>
#include <consistency/data/mixture.hpp>
#include <consistency/data/rings.hpp>
#include <consistency/evaluation/energy_distance.hpp>
#include <consistency/evaluation/frechet_distance.hpp>

#include "../support/data_set.hpp"
#include "../support/picture.hpp"
#include "plan.hpp"
#include "record.hpp"

namespace compare {

class Points {
 public:
  static constexpr auto measures = std::array{"energy distance"};
  static constexpr Index samples = 4096;  ///< measured
  static constexpr Index preview = 2048;  ///< drawn

  explicit Points(Plan const& plan)
      : batches_{make(plan.data, plan.batch, Key{plan.seed})},
        fresh_{make(plan.data, samples, Key{~plan.seed})} {}

  Mlp network() const { return Mlp{{.dimensions = 2}}; }
  Tensor<float> batch(Index k) const { return points(batches_, k); }
  Quality measure(Tensor<float> const& x) const { return {energy_distance(x, reference_)}; }
  /// Sets of points that nobody trains on or compares with, for number = 0, 1, ….
  Tensor<float> unseen(Index number) const { return points(fresh_, 1 + number); }
  Image draw(Tensor<float> const& x) const {
    return std::visit([&](auto const& batches) { return example::scatter(x, 3, batches.dark); }, batches_);
  }

 private:
  using Batches = std::variant<MixtureBatches, CheckerboardBatches, RingsBatches>;

  static Batches make(std::string const& data, Index batch, Key key) {
    if (data == "checkerboard") return CheckerboardBatches{batch, key};
    if (data == "rings") return RingsBatches{batch, key};
    return MixtureBatches{batch, key};
  }
  static Tensor<float> points(Batches const& from, Index k) {
    return std::visit([&](auto const& batches) { return batches(k); }, from);
  }

  Batches batches_, fresh_;
  Tensor<float> reference_ = points(fresh_, 0);
};

/// Every pixel the mean of 2 x 2.
inline ImageSet halved(ImageSet const& from) {
  ImageSet to{.count = from.count,
              .height = from.height / 2,
              .width = from.width / 2,
              .channels = from.channels,
              .pixels = {},
              .labels = {}};
  to.pixels.reserve(static_cast<std::size_t>(to.count * to.image_size()));
  for (Index i = 0; i < from.count; ++i) {
    auto const image = from.image(i);
    auto const at = [&](Index y, Index x, Index c) {
      return int{image[static_cast<std::size_t>((y * from.width + x) * from.channels + c)]};
    };
    for (Index y = 0; y < to.height; ++y)
      for (Index x = 0; x < to.width; ++x)
        for (Index c = 0; c < to.channels; ++c)
          to.pixels.push_back(
              static_cast<std::uint8_t>((at(2 * y, 2 * x, c) + at(2 * y, 2 * x + 1, c) +
                                         at(2 * y + 1, 2 * x, c) + at(2 * y + 1, 2 * x + 1, c) + 2) /
                                        4));
  }
  return to;
}

/// Coordinates along the directions in which real images vary most.
class PrincipalComponents {
 public:
  static constexpr Index count = 64;

  explicit PrincipalComponents(Gaussian const& data) : mean_{data.mean} {
    auto const eigen = Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>{data.covariance};
    directions_ = eigen.eigenvectors().rightCols(count);
  }

  /// (n, …) to (n, 64).
  Tensor<double> operator()(Tensor<float> const& x) const {
    using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using FloatRows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    auto const n = x.shape()[0];
    auto features = Tensor<double>{{n, count}};
    Rows const values = Eigen::Map<FloatRows const>(x.data(), n, mean_.size()).template cast<double>();
    Eigen::Map<Rows>{features.mutable_data(), n, count} =
        (values.rowwise() - mean_.transpose()) * directions_;
    return features;
  }

 private:
  Eigen::VectorXd mean_;
  Eigen::MatrixXd directions_;
};

class Pictures {
 public:
  static constexpr auto measures =
      std::array{"Fréchet distance in the first 64 principal components, not FID", "energy distance"};
  static constexpr Index samples = 2048;
  static constexpr Index preview = 64;

  explicit Pictures(Plan const& plan) : batches_{open(plan), plan.batch, Key{plan.seed}} {}

  UNet network() const {
    auto const& set = batches_.images();
    auto const small = set.height % 4 != 0;  // one level at 7 x 7 instead of two
    return UNet{{.channels = small ? 48 : 32,
                 .multipliers = small ? std::vector<Index>{1} : std::vector<Index>{1, 2},
                 .attention = {set.height / (small ? 2 : 4)},  // of the lowest level
                 .heads = 2,
                 .patch = 2,
                 .time = {.scale = 1},
                 .image = {set.height, set.width, set.channels}}};
  }
  Tensor<float> batch(Index k) { return batches_(k); }
  Quality measure(Tensor<float> const& x) const {
    return {frechet_distance(Gaussian::of(components_(x)), gaussian_), energy_distance(x, reference_)};
  }
  /// Sets of images that samples are not compared with, for number = 0 to 3.
  Tensor<float> unseen(Index number) const { return images(gaussian_count + number * samples, samples); }
  Image draw(Tensor<float> const& x) const { return example::sheet(x, 8, 4); }

 private:
  static constexpr Index gaussian_count = 10000;

  static ImageSet open(Plan const& plan) {
    auto images = example::read_images(plan.images);
    if (images.count < gaussian_count + 4 * samples)
      fail<dataset_error>(plan.images, "number of images", std::to_string(images.count),
                          std::to_string(gaussian_count + 4 * samples) + " or more",
                          "Use the training images.");
    return plan.size < images.height ? halved(images) : images;
  }

  /// The images first, first + 1, … of the file.
  Tensor<float> images(Index first, Index n) const {
    auto const& set = batches_.images();
    auto x = Tensor<float>{{n, set.height, set.width, set.channels}};
    auto* to = x.mutable_data();
    for (Index i = first; i < first + n; ++i)
      for (auto const pixel : set.image(i)) *to++ = static_cast<float>(pixel) / 127.5F - 1.0F;
    return x;
  }

  ImageBatches batches_;
  Tensor<float> reference_ = images(0, samples);
  PrincipalComponents components_{Gaussian::of(images(0, gaussian_count))};
  Gaussian gaussian_ = Gaussian::of(components_(images(0, gaussian_count)));
};

}  // namespace compare
