// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <consistency/network/layer/inception_convolution.hpp>

namespace consistency {

/// Before the convolutions of a branch.
enum class InceptionPooling : std::uint8_t { none, average, maximum, maximum_stride_2 };

/// A mixed block of Inception-v3 (Szegedy et al. 2016, Figures 5 to 7): branches beside each other, whose
/// channels are joined. A branch is a pooling or none, a chain of convolutions, and a fork or none:
/// convolutions of the chain's end, beside each other.
class InceptionBlock {
 public:
  struct Convolution {
    char const* name;
    Index out;
    InceptionConvolutionSettings settings = {};
  };
  struct Branch {
    InceptionPooling pooling = InceptionPooling::none;
    std::vector<Convolution> chain;
    std::vector<Convolution> fork = {};
  };

  InceptionBlock(ParameterTable& table, std::string const& name, Index in,
                 std::vector<Branch> const& branches)
      : name_{name + "."} {
    for (auto const& branch : branches) {
      auto& own = branches_.emplace_back(branch.pooling);
      auto channels = in;
      auto const add = [&](Convolution const& c) {
        return InceptionConvolution{table, name_ + c.name, channels, c.out, c.settings};
      };
      for (auto const& c : branch.chain) channels = own.chain.emplace_back(add(c)).channels();
      for (auto const& c : branch.fork) out_ += own.fork.emplace_back(add(c)).channels();
      if (branch.fork.empty()) out_ += channels;
    }
  }

  Index channels() const noexcept { return out_; }  ///< of the result

  /// x (n, h, w, in) → (n, h', w', channels): of x's size, or (h − 1) / 2, rounded down, where strides are 2
  auto operator()(auto const& theta, Value auto const& x) const {
    auto y = branches_[0](theta, x);
    for (std::size_t i = 1; i < branches_.size(); ++i) y = concat(y, branches_[i](theta, x));
    return y;
  }
  /// The first convolution alone, before its normalisation and ReLU.
  auto first(auto const& theta, Value auto const& x) const { return branches_[0].chain[0].bare(theta, x); }

 private:
  struct Layers {
    InceptionPooling pooling;
    std::vector<InceptionConvolution> chain = {};
    std::vector<InceptionConvolution> fork = {};

    explicit Layers(InceptionPooling kind) : pooling{kind} {}

    template <Value V>
    auto operator()(auto const& theta, V const& x) const {
      using Result = value_t<decltype(std::declval<InceptionConvolution const&>()(theta, x))>;
      auto const pooled = [&] {
        if (pooling == InceptionPooling::average) return average_pool_3(x);
        if (pooling == InceptionPooling::maximum) return max_pool_3(x);
        if (pooling == InceptionPooling::maximum_stride_2) return max_pool_3_stride_2(x);
        return x;
      };
      if (chain.empty()) return Result(pooled());
      Result h = chain[0](theta, pooled());
      for (std::size_t i = 1; i < chain.size(); ++i) h = chain[i](theta, h);
      if (fork.empty()) return h;
      Result y = fork[0](theta, h);
      for (std::size_t i = 1; i < fork.size(); ++i) y = concat(y, fork[i](theta, h));
      return y;
    }
  };

  std::string name_;
  std::vector<Layers> branches_;
  Index out_ = 0;
};

}  // namespace consistency
