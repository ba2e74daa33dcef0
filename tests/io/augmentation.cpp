// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/data/augmentation.hpp>
#include <consistency/data/image_transform.hpp>
#include <consistency/io/safetensors.hpp>

#include "golden.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("images are moved as EDM's own program moves them, and labelled alike") {
  auto const file = read_safetensors(std::filesystem::path{GOLDEN_FOLDER} / "augmentation.safetensors");
  auto const draws = copy_as<double>(*file.find("draws"));      // (n, 8)
  auto const images = from_torch<float>(*file.find("images"));  // (n, h, w, c)
  auto const moved = from_torch<double>(*file.find("moved"));   // (n, h, w, c)
  auto const labels = copy_as<double>(*file.find("labels"));    // (n, 9)
  auto const n = images.shape()[0], h = images.shape()[1], w = images.shape()[2], c = images.shape()[3];
  auto found = images.clone();
  ImageTransformer apply{h, w, c};
  for (Index i = 0; i < n; ++i) {
    auto const* const d = draws.data() + 8 * i;
    auto const transform = AugmentationSettings{}.transform({.mirrored = d[0] == 1,
                                                             .upside_down = d[1] == 1,
                                                             .size = d[2],
                                                             .angle = d[3],
                                                             .stretch = d[4],
                                                             .direction = d[5],
                                                             .shift = {d[6], d[7]}},
                                                            static_cast<double>(h), static_cast<double>(w));
    for (std::size_t l = 0; l < 9; ++l)
      CHECK(std::abs(transform.labels[l] - labels[9 * static_cast<std::size_t>(i) + l]) < 1e-6);
    apply(transform, found.mutable_data() + i * h * w * c);
  }
  CHECK(relative_rms(found, moved) < 1e-6);
}
