// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>

#include <consistency/io/npz.hpp>

namespace consistency {

/// Mean and covariance of the features of a set of images, as clean-fid and the evaluator of guided-diffusion
/// keep them in .npz files: arrays `mu` and `sigma`, of the latter also `mu_s` and `sigma_s`.
struct FeatureStatistics {
  Tensor<double> mean;        // (d)
  Tensor<double> covariance;  // (d, d)
  std::string features{};     ///< which network and resize they are of; "" where the file does not say
  Index count = 0;            ///< of images; 0 where the file does not say
};

/// `spatial`: mu_s and sigma_s. Throws as NpzFile, format_error where the shapes do not belong together or a
/// number is not finite, and config_error where the file says other features than `expected`, unless that is
/// "".
inline FeatureStatistics read_statistics(std::filesystem::path const& path, std::string const& expected = "",
                                         bool spatial = false) {
  auto const file = NpzFile{path};
  auto const suffix = std::string{spatial ? "_s" : ""};
  FeatureStatistics found{file.numbers("mu" + suffix), file.numbers("sigma" + suffix)};
  auto const d = found.mean.count();
  if (found.mean.shape() != Shape{d} || found.covariance.shape() != Shape{d, d} || d == 0)
    fail<format_error>(path.string(), "shapes of mean and covariance",
                       found.mean.shape().text() + " and " + found.covariance.shape().text(),
                       "(d) and (d, d)");
  for (auto const* const x : {&found.mean, &found.covariance})
    if (!std::isfinite(largest<pointwise::Abs>(*x)))
      fail<format_error>(path.string(), "statistics", "numbers that are not finite", "finite numbers");
  if (file.has("features")) {
    auto const text = file.bytes("features").second;
    found.features.assign(text.begin(), text.end());
  }
  if (file.has("count")) found.count = static_cast<Index>(sum(file.numbers("count"))[0]);
  if (!expected.empty() && !found.features.empty() && found.features != expected)
    fail<config_error>(path.string(), "features of the statistics", "'" + printable(found.features) + "'",
                       "'" + printable(expected) + "'", "Distances are of one network and one resize.");
  return found;
}

/// Throws as NpzWriter.
inline void write_statistics(std::filesystem::path const& path, FeatureStatistics const& statistics) {
  NpzWriter file;
  file.add("mu", statistics.mean);
  file.add("sigma", statistics.covariance);
  if (!statistics.features.empty()) file.add("features", statistics.features);
  if (statistics.count > 0) file.add("count", Tensor<double>{{1}, static_cast<double>(statistics.count)});
  file.write(path);
}

}  // namespace consistency
