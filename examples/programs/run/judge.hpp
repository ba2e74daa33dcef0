// SPDX-License-Identifier: MIT
#pragma once

// What a trained classifier makes of images: their features and their classes.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <consistency/data/image_set.hpp>
#include <consistency/network/prepared_parameters.hpp>
#include <consistency/tensor/cpu.hpp>

namespace run {

using namespace consistency;

struct Seen {
  Tensor<float> features;          // (n, d)
  Tensor<float> scores{};          // (n, classes), of a network that has them for the Inception Score
  std::vector<Index> predicted{};  ///< class of each, where the network knows the data's classes

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

/// A network and its weights: its features `pooled`, and its logits of the data's classes, `classified`, or
/// of others, `scores`.
class Judge {
 public:
  template <class N>
  Judge(N network, Parameters<Tensor<float>> const& theta) {
    if constexpr (requires { N::batch; }) batch_ = N::batch;
    look_ = [network = std::move(network),
             theta = PreparedParameters<Tensor<float>>{theta}](Tensor<float> const& x) {
      Seen seen{.features = network.pooled(theta.parameters(), x)};  // (n, d)
      if constexpr (requires { network.scores(theta.parameters(), seen.features); })
        seen.scores = network.scores(theta.parameters(), seen.features);  // (n, classes)
      if constexpr (requires { network.classified(theta.parameters(), seen.features); }) {
        Tensor<float> const logits = network.classified(theta.parameters(), seen.features);
        auto const classes = logits.shape()[1];
        for (Index j = 0; j < x.shape()[0]; ++j) {
          auto const* const row = logits.data() + j * classes;
          seen.predicted.push_back(std::max_element(row, row + classes) - row);
        }
      }
      return seen;
    };
  }

  /// Of `count` images, batch(first, n) at a time, (n, h, w, c).
  Seen look_at(Index count, auto const& batch) const {
    Seen all;
    for (Index i = 0; i < count; i += batch_) {
      auto const seen = look_(batch(i, std::min(batch_, count - i)));
      put(all.features, seen.features, i, count);
      if (seen.scores.shape().rank() == 2) put(all.scores, seen.scores, i, count);
      all.predicted.insert(all.predicted.end(), seen.predicted.begin(), seen.predicted.end());
    }
    return all;
  }
  Seen look_at(ImageSet const& set) const {
    return look_at(set.count, [&](Index first, Index n) { return image_batch(set, first, n); });
  }

 private:
  /// Rows from `first` on of all `count` rows.
  static void put(Tensor<float>& all, Tensor<float> const& rows, Index first, Index count) {
    auto const d = rows.shape()[1];
    if (first == 0) all = Tensor<float>{{count, d}};
    std::copy_n(rows.data(), rows.count(), all.mutable_data() + first * d);
  }

  Index batch_ = 250;
  std::function<Seen(Tensor<float> const&)> look_;
};

}  // namespace run
