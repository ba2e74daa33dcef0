// SPDX-License-Identifier: MIT
#pragma once

// What there is to learn: images with a U-Net, points of a checkerboard with a perceptron.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <unistd.h>

#include <consistency/data/augmented_batches.hpp>
#include <consistency/data/batches.hpp>
#include <consistency/data/checkerboard.hpp>
#include <consistency/data/labelled_batches.hpp>
#include <consistency/io/cifar10.hpp>
#include <consistency/io/digest.hpp>
#include <consistency/io/image_cache.hpp>

#include "../support/data_set.hpp"
#include "../support/picture.hpp"
#include "network.hpp"

namespace run {

/// The batches of a run.
struct Data {
  std::function<Batch<Tensor<float>>(Index)> batches;    ///< of step k = 0, 1, …, as it is trained on
  std::function<Batch<Tensor<float>>(Index)> originals;  ///< the same images as the data set has them
  Index count = 0;                                       ///< of items; 0: no end of them
};

/// What is at a path: "cifar-10" or "pictures" in a folder, else "fashion-mnist", an IDX file.
inline std::string kind_of_images(std::string const& path) {
  std::error_code failure;  // what cannot be looked at is said when it is read
  if (!std::filesystem::is_directory(path, failure)) return "fashion-mnist";
  for (auto const* const file : {"data_batch_1.bin", "test_batch.bin"})
    if (std::filesystem::exists(std::filesystem::path{path} / file, failure)) return "cifar-10";
  return "pictures";
}

/// The images of a recipe; decoded pictures of a folder are kept in `cache`, unless that is empty.
inline ImageSet images_of(Recipe const& r, std::filesystem::path const& cache) {
  if (r.data == "cifar-10") return read_cifar10_folder(r.images, Cifar10Split::train);
  if (r.data != "pictures") return read_images(r.images, r.classes > 0);
  auto const settings = ImageFolderSettings{.height = r.height, .width = r.width, .channels = r.colours};
  auto const terminal = ::isatty(STDERR_FILENO) == 1;
  auto const show = [&](Index done, Index all) {
    if (terminal)
      std::fprintf(stderr, "\r%s of %s pictures%s", grouped(done).c_str(), grouped(all).c_str(),
                   done == all ? "\n" : "");
  };
  return cache.empty() ? read_image_folder(r.images, settings, show)
                       : read_image_folder(r.images, settings, cache, show);
}

/// Images by a network N.
template <class N>
struct Pictures {
  using Network = N;
  static constexpr auto noun = "images";

  /// Samples of a frame, and how many stand in a row: of classes one in each row.
  static Index columns(Recipe const&) { return 8; }
  static Index preview(Recipe const& r) { return 8 * std::max<Index>(8, std::min<Index>(r.classes, 32)); }

  /// Reads the images, and writes what they are into a new recipe or compares it with a saved one.
  static Data open(Recipe& r, std::filesystem::path const& cache) {
    auto images = images_of(r, cache);
    auto const digest = consistency::digest(std::as_bytes(std::span{images.pixels}));
    if (!r.digest.empty() && r.digest != digest)
      fail<dataset_error>(r.images, "not the images this run began with", "digest " + digest, r.digest,
                          "Put the original file back, or start a new run.");
    r.digest = digest;
    r.height = images.height, r.width = images.width, r.colours = images.channels;
    auto const count = images.count;
    auto const key = Key{r.seed};
    if (r.classes > 0)
      return data(LabelledImageBatches{std::move(images), r.classes, r.batch, key}, r, count);
    return data(ImageBatches{std::move(images), r.batch, key}, r, count);
  }

  static Image draw(Tensor<float> const& samples, Index zoom, Recipe const& r) {
    auto const square = std::ceil(std::sqrt(static_cast<double>(samples.shape()[0])));
    return sheet(samples, r.classes > 0 ? columns(r) : static_cast<Index>(square), zoom);
  }

 private:
  /// Both kinds of batches share the images.
  template <class Batches>
  static Data data(Batches batches, Recipe const& r, Index count) {
    auto const shared = std::make_shared<Batches>(std::move(batches));
    auto const plain = [shared](Index k) { return Batch<Tensor<float>>{(*shared)(k)}; };
    if (r.flips == 0 && r.augmentation_labels == 0) return {plain, plain, count};
    auto const settings = AugmentationSettings{
        .rate = r.augmentation, .mirror = r.flips, .labelled = r.augmentation_labels > 0};
    return {AugmentedBatches{plain, settings, Key{r.seed}}, plain, count};
  }
};

struct Points {
  using Network = Mlp;
  static constexpr auto noun = "points";
  static Index columns(Recipe const&) { return 1; }
  static Index preview(Recipe const&) { return 2048; }

  static Data open(Recipe& r, std::filesystem::path const&) {
    auto const batches = CheckerboardBatches{r.batch, Key{r.seed}};
    return {batches, batches, 0};
  }

  /// Over the board's squares.
  static Image draw(Tensor<float> const& samples, Index zoom, Recipe const&) {
    return scatter(samples, zoom, CheckerboardBatches::dark);
  }
};

}  // namespace run
