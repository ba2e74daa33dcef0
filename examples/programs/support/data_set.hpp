// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include <consistency/io/idx.hpp>

namespace example {

inline constexpr auto fashion_mnist = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";

/// Throws dataset_error, with advice, where the file is missing, and else as read_idx_images does.
inline consistency::ImageSet read_images(std::string const& path) {
  std::error_code failure;  // what cannot be looked at is said when it is read
  if (!std::filesystem::exists(path, failure) && !failure)
    consistency::fail<consistency::dataset_error>(
        path, "no such data set", "no file", "an IDX file of images",
        "Install it (Debian: apt-get install dataset-fashion-mnist), name it with --images, or train "
        "without a file: --data checkerboard");
  return consistency::read_idx_images(path);
}

}  // namespace example
