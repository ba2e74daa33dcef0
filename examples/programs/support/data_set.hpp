// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <consistency/io/idx.hpp>

namespace example {

inline constexpr auto fashion_mnist = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";

/// The name of the labels' file that belongs to a file of images, as MNIST and its successors have it.
inline std::string labels_of(std::string path) {
  for (auto const& [word, other] : {std::pair{"images", "labels"}, {"idx3", "idx1"}})
    if (auto const at = path.rfind(word); at != std::string::npos)
      path.replace(at, std::string_view{word}.size(), other);
  return path;
}

/// Throws dataset_error, with advice, where a file is missing, and else as read_idx_images and read_idx do.
inline consistency::ImageSet read_images(std::string const& path, bool with_labels = false) {
  std::error_code failure;  // what cannot be looked at is said when it is read
  if (!std::filesystem::exists(path, failure) && !failure)
    consistency::fail<consistency::dataset_error>(
        path, "no such data set", "no file", "an IDX file of images",
        "Install it (Debian: apt-get install dataset-fashion-mnist), name it with --images, or train "
        "without a file: --data checkerboard");
  return with_labels ? consistency::read_idx(path, labels_of(path)) : consistency::read_idx_images(path);
}

}  // namespace example
