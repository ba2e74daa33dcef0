// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/network/layer/convolution.hpp>
#include <consistency/network/layer/linear.hpp>
#include <consistency/network/parameters.hpp>
#include <consistency/network/summary.hpp>

namespace consistency {

struct ImageClassifierSettings {
  std::vector<Index> channels = {16, 32, 64};  ///< of each level; sides halve from one to the next
  Index classes = 10;
  Shape image = {28, 28, 1};  ///< (h, w, c)
};

/// A small convolutional network for the class of an image: two 3×3 convolutions with ReLU at each level, 2×2
/// maxima between levels, the mean over pixels, a linear layer. Trained here by Classification; its features
/// are what measures of quality compare where no larger network's weights are at hand. Under 75,000
/// parameters by default.
class ImageClassifier {
 public:
  /// Throws config_error for no level, or sides that do not halve.
  explicit ImageClassifier(ImageClassifierSettings settings = {}) : settings_{std::move(settings)} {
    auto const& s = settings_;
    auto const halvings = Index{1} << (s.channels.empty() ? 0 : s.channels.size() - 1);
    if (s.channels.empty() || s.image.rank() != 3 || s.image[0] % halvings != 0 || s.image[1] % halvings != 0)
      fail<config_error>("ImageClassifier", "image",
                         s.image.text() + " with " + number_text(s.channels.size()) + " levels",
                         "(h, w, c) with a level or more, h and w divisible by " + number_text(halvings));
    auto in = s.image[2];
    for (std::size_t level = 0; level < s.channels.size(); ++level) {
      auto const name = "level" + number_text(level) + ".";
      auto const out = s.channels[level];
      first_.emplace_back(table_, name + "conv1", in, out);
      second_.emplace_back(table_, name + "conv2", out, out);
      in = out;
    }
    last_.emplace_back(table_, "linear", in, s.classes);
  }

  ImageClassifierSettings const& settings() const noexcept { return settings_; }
  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers
  Index features() const noexcept { return settings_.channels.back(); }
  Index classes() const noexcept { return settings_.classes; }

  /// The features of images of range [−1, 1], (n, h, w, c) → (n, features()).
  auto pooled(auto const& theta, Operand auto const& x) const {
    using V = value_t<decltype(linear(x, theta[0]))>;
    V h = relu(first_[0](theta, x));  // (n, h, w, channels)
    h = relu(second_[0](theta, h));
    for (std::size_t level = 1; level < first_.size(); ++level) {
      h = max_pool(h);  // (n, h / 2, w / 2, channels)
      h = relu(first_[level](theta, h));
      h = relu(second_[level](theta, h));
    }
    auto const& shape = h.shape();
    auto const pixels = static_cast<double>(shape[1] * shape[2]);
    return evaluated(
        reshape((1 / pixels) * sum_to(h, Shape{shape[0], 1, 1, shape[3]}), Shape{shape[0], shape[3]}));
  }
  /// Unnormalised log probabilities of the classes, (n, classes).
  auto logits(auto const& theta, Operand auto const& x) const { return classified(theta, pooled(theta, x)); }
  /// The same of features that `pooled` gave.
  auto classified(auto const& theta, Operand auto const& features) const { return last_[0](theta, features); }

 private:
  ImageClassifierSettings settings_;
  ParameterTable table_;
  std::vector<Convolution> first_, second_;
  std::vector<Linear> last_;
};

}  // namespace consistency
