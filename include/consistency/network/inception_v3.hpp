// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <consistency/network/inception_blocks.hpp>
#include <consistency/network/layer/linear.hpp>
#include <consistency/network/summary.hpp>

namespace consistency {

/// Images of range [−1, 1] as Inception sees them: TensorFlow 1's bilinear resize to 299×299 of bytes 0 …
/// 255, then (x − 128) / 128; (n, h, w, 3) → (n, 299, 299, 3).
auto inception_resize(Operand auto const& x) {
  return evaluated((127.5 * resize(x, 299, 299, 0.0) - 0.5) / 128);
}

/// Inception-v3 of 2015-12-05 (Szegedy et al. 2016), whose features the Fréchet Inception distance compares
/// (Heusel et al. 2017), under the names of pytorch-fid: images of range [−1, 1], (n, h, w, 3), to features
/// (n, 2048). Pixels are compared as they are: who follows the papers rounds images to bytes before.
class InceptionV3 {
 public:
  static constexpr Index features = 2048;
  static constexpr Index classes = 1008;
  static constexpr Index spatial_channels = 7;

  InceptionV3() {
    auto const first = [&](char const* name, Index in, Index out, InceptionConvolutionSettings s) {
      stem_.emplace_back(table_, name, in, out, s);
    };
    first("Conv2d_1a_3x3", 3, 32, reducing);
    first("Conv2d_2a_3x3", 32, 32, {.height = 3, .width = 3, .padded = false});
    first("Conv2d_2b_3x3", 32, 64, square);
    first("Conv2d_3b_1x1", 64, 80, {});
    first("Conv2d_4a_3x3", 80, 192, {.height = 3, .width = 3, .padded = false});
    for (auto const& [name, pooled] : {Stage{"Mixed_5b", 32}, {"Mixed_5c", 64}, {"Mixed_5d", 64}})
      add(name, at_35(pooled));
    add("Mixed_6a", to_17());
    for (auto const& [name, narrow] :
         {Stage{"Mixed_6b", 128}, {"Mixed_6c", 160}, {"Mixed_6d", 160}, {"Mixed_6e", 192}})
      add(name, at_17(narrow));
    add("Mixed_7a", to_8());
    add("Mixed_7b", at_8(InceptionPooling::average));
    add("Mixed_7c", at_8(InceptionPooling::maximum));
    last_.emplace(table_, "fc", features, classes);
  }

  ParameterTable const& parameters() const noexcept { return table_; }
  std::string summary() const { return consistency::summary(table_); }  ///< a table of its layers

  auto operator()(auto const& theta, Operand auto const& x) const {
    return pooled(maps(theta, inception_resize(x), blocks_.size()));
  }

  /// Unnormalised log probabilities of the classes, (n, 1008), of features (n, 2048).
  auto logits(auto const& theta, Operand auto const& f) const { return (*last_)(theta, f); }
  /// The same without biases, as the Inception score takes them.
  auto unbiased_logits(auto const& theta, Operand auto const& f) const {
    return linear(f, theta[*table_.find("fc.weight")]);
  }

  /// What the spatial distance sFID compares (Nash et al. 2021): the first 7 channels of the first
  /// convolution of Mixed_6d, pixel by pixel, (n, 2023).
  auto spatial(auto const& theta, Operand auto const& x) const {
    auto const map = slice(blocks_[sixth].first(theta, maps(theta, inception_resize(x), sixth)), 0,
                           spatial_channels);  // (n, 17, 17, 7)
    return reshape(map, {map.shape()[0], map.shape().count() / std::max<Index>(1, map.shape()[0])});
  }

 private:
  using Block = std::vector<InceptionBlock::Branch>;
  struct Stage {
    char const* name;
    Index channels;
  };

  static constexpr std::size_t sixth = 6;  // Mixed_6d; TensorFlow's mixed_6
  static constexpr auto square = InceptionConvolutionSettings{.height = 3, .width = 3};
  static constexpr auto reducing =
      InceptionConvolutionSettings{.height = 3, .width = 3, .stride = 2, .padded = false};

  /// What the first blocks make of images (n, 299, 299, 3).
  auto maps(auto const& theta, Operand auto const& x, std::size_t blocks) const {
    auto h = stem_[1](theta, stem_[0](theta, x));                       // (n, 147, 147, 32)
    h = max_pool_3_stride_2(stem_[2](theta, h));                        // (n, 73, 73, 64)
    h = max_pool_3_stride_2(stem_[4](theta, stem_[3](theta, h)));       // (n, 35, 35, 192)
    for (std::size_t i = 0; i < blocks; ++i) h = blocks_[i](theta, h);  // (n, 35, 17 or 8, …)
    return h;
  }

  /// (n, h, w, c) averaged over pixels, (n, c).
  static auto pooled(auto const& map) {
    auto const& shape = map.shape();
    auto const pixels = static_cast<double>(shape[1] * shape[2]);
    return reshape((1 / pixels) * sum_to(map, Shape{shape[0], 1, 1, shape[3]}), Shape{shape[0], shape[3]});
  }

  void add(std::string const& name, Block const& branches) {
    auto const in = blocks_.empty() ? stem_.back().channels() : blocks_.back().channels();
    blocks_.emplace_back(table_, name, in, branches);
  }

  static Block at_35(Index pooled) {
    return {
        {.chain = {{"branch1x1", 64}}},
        {.chain = {{"branch5x5_1", 48}, {"branch5x5_2", 64, {.height = 5, .width = 5}}}},
        {.chain = {{"branch3x3dbl_1", 64}, {"branch3x3dbl_2", 96, square}, {"branch3x3dbl_3", 96, square}}},
        {.pooling = InceptionPooling::average, .chain = {{"branch_pool", pooled}}}};
  }
  static Block to_17() {
    return {
        {.chain = {{"branch3x3", 384, reducing}}},
        {.chain = {{"branch3x3dbl_1", 64}, {"branch3x3dbl_2", 96, square}, {"branch3x3dbl_3", 96, reducing}}},
        {.pooling = InceptionPooling::maximum_stride_2, .chain = {}}};
  }
  static Block at_17(Index narrow) {
    return {{.chain = {{"branch1x1", 192}}},
            {.chain = {{"branch7x7_1", narrow},
                       {"branch7x7_2", narrow, {.width = 7}},
                       {"branch7x7_3", 192, {.height = 7}}}},
            {.chain = {{"branch7x7dbl_1", narrow},
                       {"branch7x7dbl_2", narrow, {.height = 7}},
                       {"branch7x7dbl_3", narrow, {.width = 7}},
                       {"branch7x7dbl_4", narrow, {.height = 7}},
                       {"branch7x7dbl_5", 192, {.width = 7}}}},
            {.pooling = InceptionPooling::average, .chain = {{"branch_pool", 192}}}};
  }
  static Block to_8() {
    return {{.chain = {{"branch3x3_1", 192}, {"branch3x3_2", 320, reducing}}},
            {.chain = {{"branch7x7x3_1", 192},
                       {"branch7x7x3_2", 192, {.width = 7}},
                       {"branch7x7x3_3", 192, {.height = 7}},
                       {"branch7x7x3_4", 192, reducing}}},
            {.pooling = InceptionPooling::maximum_stride_2, .chain = {}}};
  }
  static Block at_8(InceptionPooling pooling) {
    return {{.chain = {{"branch1x1", 320}}},
            {.chain = {{"branch3x3_1", 384}},
             .fork = {{"branch3x3_2a", 384, {.width = 3}}, {"branch3x3_2b", 384, {.height = 3}}}},
            {.chain = {{"branch3x3dbl_1", 448}, {"branch3x3dbl_2", 384, square}},
             .fork = {{"branch3x3dbl_3a", 384, {.width = 3}}, {"branch3x3dbl_3b", 384, {.height = 3}}}},
            {.pooling = pooling, .chain = {{"branch_pool", 192}}}};
  }

  ParameterTable table_;
  std::vector<InceptionConvolution> stem_;
  std::vector<InceptionBlock> blocks_;
  std::optional<Linear> last_;
};

}  // namespace consistency
