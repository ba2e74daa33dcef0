// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <consistency/io/idx.hpp>

namespace example {

inline constexpr auto fashion_mnist = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz";

/// The path with another word in the file's name, where the name has that word; folders keep theirs.
inline std::string renamed(std::string path, std::string_view word, std::string_view other) {
  if (auto const at = path.rfind(word); at != std::string::npos && path.find('/', at) == std::string::npos)
    path.replace(at, word.size(), other);
  return path;
}

/// The name of the labels' file that belongs to a file of images, as MNIST and its successors have it.
inline std::string labels_of(std::string const& path) {
  return renamed(renamed(path, "images", "labels"), "idx3", "idx1");
}

/// The name of the file of test images that belongs to one of training images; of another, the same.
inline std::string test_images_of(std::string const& path) { return renamed(path, "train", "t10k"); }

/// Throws dataset_error, with advice, where a file is missing, and else as read_idx_images and read_idx do.
inline consistency::ImageSet read_images(std::string const& path, bool with_labels = false) {
  std::error_code failure;  // what cannot be looked at is said when it is read
  if (!std::filesystem::exists(path, failure) && !failure)
    consistency::fail<consistency::dataset_error>(
        path, "no such data set", "no file", "an IDX file of images",
        "Install it (Debian: apt-get install dataset-fashion-mnist), name another, or train without a file: "
        "--data checkerboard");
  return with_labels ? consistency::read_idx(path, labels_of(path)) : consistency::read_idx_images(path);
}

}  // namespace example
