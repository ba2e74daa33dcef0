// SPDX-License-Identifier: MIT
#pragma once

#include <concepts>
#include <tuple>
#include <utility>

#include <consistency/tensor/functions.hpp>

namespace consistency {

/// features(x): samples (n, …), such as images (n, h, w, c) of range [−1, 1], to a std::tuple or std::array
/// of features of each, (n, …). Models: FeatureExtractor of Vgg16 or ResNet20, IdentityFeatures.
template <class F, class T = Tensor<float>>
concept FeatureNetwork = requires(F const& features, T const& x) {
  std::tuple_size<decltype(features(x))>::value;
  { evaluated(std::get<0>(features(x))) } -> std::convertible_to<T>;
};

/// The samples themselves.
struct IdentityFeatures {
  template <Value V>
  std::tuple<V> operator()(V const& x) const {
    return {x};
  }
};
static_assert(FeatureNetwork<IdentityFeatures>);

}  // namespace consistency
