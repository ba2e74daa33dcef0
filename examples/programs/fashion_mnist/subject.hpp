// SPDX-License-Identifier: MIT
#pragma once

// The two things to learn: images with a U-Net, points of a checkerboard with a perceptron.

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include <consistency/data/batches.hpp>
#include <consistency/data/checkerboard.hpp>
#include <consistency/data/labelled_batches.hpp>
#include <consistency/io/digest.hpp>

#include "../support/data_set.hpp"
#include "../support/picture.hpp"
#include "recipe.hpp"

namespace fashion {

struct Pictures {
  static constexpr auto noun = "images";

  /// Samples of a frame, and how many stand in a row: of classes one in each row.
  static Index columns(Recipe const&) { return 8; }
  static Index preview(Recipe const& r) { return 8 * std::max<Index>(8, r.classes); }

  static UNet network(Recipe const& r) { return build_unet(r); }

  /// Reads the images, and writes what they are into a new recipe or compares it with a saved one.
  static ImageBatches open(Recipe& r) {
    auto images = read_images(r.images, r.classes > 0);
    auto const digest = consistency::digest(std::as_bytes(std::span{images.pixels}));
    if (!r.digest.empty() && r.digest != digest)
      fail<dataset_error>(r.images, "not the images this run began with", "digest " + digest, r.digest,
                          "Put the original file back, or start a new run.");
    r.digest = digest;
    r.height = images.height, r.width = images.width, r.colours = images.channels;
    return {std::move(images), r.batch, Key{r.seed}};
  }

  static Image draw(Tensor<float> const& samples, Index zoom, Recipe const& r) {
    auto const square = std::ceil(std::sqrt(static_cast<double>(samples.shape()[0])));
    return sheet(samples, r.classes > 0 ? columns(r) : static_cast<Index>(square), zoom);
  }
};

/// With the class of each.
struct PicturesOfClasses : Pictures {
  static LabelledImageBatches open(Recipe& r) {
    auto const all = Pictures::open(r);
    return {all.images(), r.classes, r.batch, Key{r.seed}};
  }
};

struct Points {
  static constexpr auto noun = "points";
  static Index columns(Recipe const&) { return 1; }
  static Index preview(Recipe const&) { return 2048; }

  static Mlp network(Recipe const& r) { return build_mlp(r); }
  static CheckerboardBatches open(Recipe& r) { return {r.batch, Key{r.seed}}; }

  /// Over the board's squares.
  static Image draw(Tensor<float> const& samples, Index zoom, Recipe const&) {
    return scatter(samples, zoom, CheckerboardBatches::dark);
  }
};

}  // namespace fashion
