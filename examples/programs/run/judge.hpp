// SPDX-License-Identifier: MIT
#pragma once

// What a trained classifier makes of images: their features and their classes.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <consistency/data/image_set.hpp>
#include <consistency/network/prepared_parameters.hpp>
#include <consistency/tensor/cpu.hpp>

namespace run {

using namespace consistency;

struct Seen {
  Tensor<float> features;        // (n, d)
  std::vector<Index> predicted;  ///< class of each

  /// The share of images that are taken for what they are.
  double accuracy(auto const& labels) const {
    Index right = 0;
    for (std::size_t i = 0; i < predicted.size(); ++i) right += predicted[i] == Index{labels[i]} ? 1 : 0;
    return static_cast<double>(right) / static_cast<double>(predicted.size());
  }
};

/// Images first … first + n − 1 in [−1, 1], (n, h, w, c).
inline Tensor<float> image_batch(ImageSet const& set, Index first, Index n) {
  Tensor<float> x{{n, set.height, set.width, set.channels}};
  auto const* const from = set.pixels.data() + first * set.image_size();
  for (Index i = 0; i < x.count(); ++i) x.mutable_data()[i] = static_cast<float>(from[i]) / 127.5F - 1;
  return x;
}

/// A network with `pooled` features and `classified` logits, and its weights.
template <class N>
class Judge {
 public:
  Judge(N network, Parameters<Tensor<float>> const& theta) : network_{std::move(network)}, theta_{theta} {}

  /// Of `count` images, batch(first, n) at a time, (n, h, w, c).
  Seen look_at(Index count, auto const& batch) const {
    constexpr Index most = 250;
    Seen seen;
    for (Index i = 0; i < count; i += most) {
      auto const n = std::min(most, count - i);
      Tensor<float> const pooled = network_.pooled(theta_.parameters(), batch(i, n));  // (n, d)
      Tensor<float> const logits = network_.classified(theta_.parameters(), pooled);   // (n, classes)
      auto const d = pooled.shape()[1], classes = logits.shape()[1];
      if (i == 0) seen.features = Tensor<float>{{count, d}};
      std::copy_n(pooled.data(), pooled.count(), seen.features.mutable_data() + i * d);
      for (Index j = 0; j < n; ++j) {
        auto const* const row = logits.data() + j * classes;
        seen.predicted.push_back(std::max_element(row, row + classes) - row);
      }
    }
    return seen;
  }
  Seen look_at(ImageSet const& set) const {
    return look_at(set.count, [&](Index first, Index n) { return image_batch(set, first, n); });
  }

 private:
  N network_;
  PreparedParameters<Tensor<float>> theta_;
};

}  // namespace run
