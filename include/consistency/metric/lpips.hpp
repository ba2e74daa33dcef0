// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <consistency/metric/metric.hpp>
#include <consistency/network/feature_network.hpp>
#include <consistency/network/parameters.hpp>

namespace consistency {

/// Learned perceptual image patch similarity (Zhang et al. 2018): the squared difference of feature maps,
/// each pixel's features brought to length 1, times a head's weight for each channel, summed over channels,
/// averaged over pixels and summed over layers. It is as differentiable as the network is, zero features
/// included.
template <class Features, class T = Tensor<float>>
class Lpips {
  static_assert(FeatureNetwork<Features, T>,
                "Lpips compares feature maps: features(x) must map images (n, h, w, c) to a std::tuple or "
                "std::array of feature maps (n, h_l, w_l, c_l).");

 public:
  using Numbers = T;
  static constexpr bool twice_differentiable = true;
  static constexpr std::size_t layers =
      std::tuple_size_v<decltype(std::declval<Features const&>()(std::declval<T const&>()))>;

  /// heads[l]: the weights (c_l) of layer l. Throws config_error for another number of heads, one that is not
  /// a vector, or a weight that is not 0 or more.
  Lpips(Features features, std::vector<T> heads) : features_{std::move(features)}, heads_{std::move(heads)} {
    if (heads_.size() != layers)
      fail<config_error>("Lpips", "number of heads", number_text(heads_.size()),
                         number_text(layers) + ", one per layer");
    for (std::size_t l = 0; l < layers; ++l) {
      if (heads_[l].shape().rank() != 1)
        fail<config_error>("Lpips", "head of layer " + number_text(l), heads_[l].shape().text(),
                           "a vector of weights");
      auto const weights = to<Cpu>(heads_[l]);
      for (auto const weight : weights.values())
        if (!(weight >= 0))
          fail<config_error>("Lpips", "head of layer " + number_text(l), "the weight " + number_text(weight),
                             "0 or more");
    }
  }

  template <Operand A, Operand B>
    requires std::same_as<tensor_of_t<value_t<A>>, T>
  auto operator()(A const& x, B const& y) const {
    auto const a = features_(evaluated(x));
    auto const b = features_(evaluated(y));
    return [&]<std::size_t... L>(std::index_sequence<L...>) {
      return evaluated((... + distance(L, std::get<L>(a), std::get<L>(b))));
    }(std::make_index_sequence<layers>{});
  }

 private:
  /// φ / (‖φ‖ + 1e−10) at every pixel. The number under the root changes it only where ‖φ‖ is of its size,
  /// and gives zero features finite first and second derivatives.
  static auto unit(Value auto const& phi) {
    auto const sum = sum_to(square(phi), phi.shape().with_channels(1));
    auto const length = evaluated(sqrt(sum + 1e-20) + 1e-10);
    return evaluated(phi / length);
  }

  auto distance(std::size_t layer, Value auto const& a, Value auto const& b) const {
    auto const& head = heads_[layer];
    auto const& shape = a.shape();
    if (shape.rank() != 4 || b.shape() != shape || head.count() != shape[3])
      fail<shape_error>("Lpips", "features of layer " + number_text(layer),
                        shape.text() + " and " + b.shape().text() + ", head " + head.shape().text(),
                        "two maps (n, h, w, c) and a head (c)");
    auto const pixels = static_cast<double>(shape[1] * shape[2]);
    return evaluated(sum_per_sample(head * square(unit(a) - unit(b))) * (1 / pixels));
  }

  Features features_;
  std::vector<T> heads_;
};

/// What the learned heads of LPIPS v0.1 are called in its authors' files: lin0.model.1.weight and so on.
template <std::size_t layers>
ParameterTable lpips_heads_table(std::array<Index, layers> const& channels) {
  ParameterTable table;
  for (std::size_t l = 0; l < layers; ++l)
    table.add("lin" + number_text(l) + ".model.1.weight", {1, 1, channels[l], 1}, Initializer::ones());
  return table;
}

/// Heads from the parameters of such a table.
template <class T>
std::vector<T> lpips_heads(Parameters<T> const& theta) {
  std::vector<T> heads;
  for (ParameterId id = 0; id < theta.table().entries().size(); ++id)
    heads.push_back(theta[id].reshaped(Shape{theta[id].count()}));
  return heads;
}

/// Heads where none were learned: every channel counts alike, 1/c.
template <class T = Tensor<float>, std::size_t layers>
std::vector<T> uniform_heads(std::array<Index, layers> const& channels) {
  using S = typename T::Scalar;
  std::vector<T> heads;
  for (auto const c : channels) heads.push_back(T(Shape{c}, S(1) / static_cast<S>(c)));
  return heads;
}

}  // namespace consistency
