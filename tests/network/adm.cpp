// SPDX-License-Identifier: MIT
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/condition/class_labels.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/network/adm.hpp>
#include <consistency/network/network.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "derivatives.hpp"

using namespace consistency;
using namespace consistency::test;

static_assert(Network<Adm>);

namespace {

using T = Tensor<double>;

/// Attention on the way down and up, of one head and of two; classes; masks.
AdmSettings tiny(Conditioning conditioning = Conditioning::scale_shift,
                 LevelChange change = LevelChange::residual_block) {
  return {.channels = 8,
          .multipliers = {1, 2},
          .blocks = 1,
          .attention = {8, 4},
          .head_channels = 8,
          .groups = 4,
          .dropout = 0.3,
          .embedding = 6,
          .conditioning = conditioning,
          .change = change,
          .condition = {.features = 5},
          .image = {8, 4, 2}};
}

struct Problem {
  explicit Problem(Conditioning conditioning, LevelChange change = LevelChange::residual_block)
      : net{tiny(conditioning, change)} {
    set_threads(1);  // the loops are too small to share
  }

  auto at(auto const& time) const { return Conditions{time, condition}; }
  T value(Parameters<T> const& of) const { return net(of, x, at(t), mode); }

  Adm net;
  Parameters<T> theta = moved_parameters(net.parameters());
  T x = normal<double>({3, 8, 4, 2}, {2});
  T t = normal<double>({3, 1, 1, 1}, {3});
  Condition<T> condition =
      to_numbers<T>(Condition<Tensor<float>>{ClassLabels{.labels = {4, 0, 2}, .classes = 5}});
  Mode mode{.training = true, .key = {5}, .first = {6, 7}};
};

template <class Change>
void check_config(Change const& change, std::initializer_list<std::string_view> words) {
  auto settings = tiny();
  change(settings);
  check_fails<ErrorCode::config>([&] { Adm{settings}; }, words);
}

}  // namespace

TEST_CASE("ADM has the parameters of the published networks: ImageNet 64×64 by class, and LSUN 256×256") {
  auto const classes = Adm{{.condition = {.features = 1000}}};
  CHECK(classes.parameters().count() == 295'899'267);
  CHECK(classes.parameters().entries().size() == 541);
  auto const lsun = Adm{AdmSettings::lsun256()};
  CHECK(lsun.parameters().count() == 526'304'771);
  CHECK(lsun.parameters().entries().size() == 566);
  CHECK(lsun.data_shape() == Shape{256, 256, 3});
}

TEST_CASE("DDPM for CIFAR-10 is an ADM with convolutions between its levels, and has 35,746,307 parameters") {
  auto const net = Adm{AdmSettings::ddpm()};
  CHECK(net.parameters().count() == 35'746'307);
  CHECK(net.parameters().find("enc.16x16_down.weight").has_value());
  CHECK(net.parameters().find("dec.32x32_up.bias").has_value());
  CHECK_FALSE(net.parameters().find("enc.16x16_down.conv0.weight").has_value());
}

TEST_CASE("ADM for ImageNet 64×64 has EDM's names and sizes") {
  auto const net = Adm{{.condition = {.features = 1000}}};
  std::map<std::string, Shape> at;
  for (auto const& entry : net.parameters().entries()) at[entry.name] = entry.shape;
  CHECK(at.at("map_layer0.weight") == Shape{192, 768});
  CHECK(at.at("map_label.weight") == Shape{1000, 768});
  CHECK(at.at("enc.64x64_conv.weight") == Shape{3, 3, 3, 192});
  CHECK(at.at("enc.64x64_block0.affine.weight") == Shape{768, 384});
  CHECK(at.at("enc.32x32_block0.skip.weight") == Shape{192, 384});
  CHECK(at.at("enc.32x32_block2.qkv.weight") == Shape{384, 1152});
  CHECK(at.at("enc.8x8_block2.conv1.weight") == Shape{3, 3, 768, 768});
  CHECK(at.at("dec.8x8_in0.norm2.weight") == Shape{768});
  CHECK(at.at("dec.8x8_block0.conv0.weight") == Shape{3, 3, 1536, 768});
  CHECK(at.at("dec.32x32_block3.proj.bias") == Shape{384});
  CHECK(at.at("dec.64x64_block3.conv0.weight") == Shape{3, 3, 384, 192});
  CHECK(at.at("out_norm.bias") == Shape{192});
  CHECK(at.at("out_conv.weight") == Shape{3, 3, 192, 3});
  for (auto const* const absent :
       {"map_label.bias", "enc.32x32_down.skip.weight", "enc.64x64_block0.qkv.weight",
        "dec.8x8_in1.qkv.weight", "dec.16x16_up.qkv.weight"})
    CHECK_FALSE(at.contains(absent));
}

TEST_CASE("ADM maps images to images that depend on image, time and class") {
  for (auto const conditioning : {Conditioning::scale_shift, Conditioning::add}) {
    auto const p = Problem{conditioning};
    auto const y = p.value(p.theta);
    CHECK(y.shape() == p.x.shape());
    CHECK_FALSE(same_bits<double>(p.net(p.theta, evaluated(2.0 * p.x), p.at(p.t), p.mode), y));
    CHECK_FALSE(same_bits<double>(p.net(p.theta, p.x, p.at(evaluated(2.0 * p.t)), p.mode), y));
    CHECK_FALSE(same_bits<double>(p.net(p.theta, p.x, Conditions{p.t, p.condition.null()}, p.mode), y));
    CHECK_FALSE(same_bits<double>(p.net(p.theta, p.x, p.at(p.t)), y));  // without dropout
  }
}

TEST_CASE("every parameter of ADM has the gradient of finite differences") {
  using enum LevelChange;
  for (auto const change : {residual_block, convolution, corner_convolution}) {
    auto const p = Problem{change == residual_block ? Conditioning::scale_shift : Conditioning::add, change};
    check_gradients(p.net.parameters(), p.theta,
                    [&](auto const& theta) { return p.net(theta, p.x, p.at(p.t), p.mode); });
  }
}

TEST_CASE("forward and reverse mode of ADM are adjoint to each other") {
  auto const p = Problem{Conditioning::scale_shift};
  check_adjoint(p.x, [&](auto const& x) { return p.net(p.theta, x, p.at(p.t), p.mode); });
}

TEST_CASE("impossible settings of ADM are rejected with the numbers") {
  using S = AdmSettings;
  check_config([](S& s) { s.channels = 7; }, {"Adm", "channels", "found 7,"});
  check_config([](S& s) { s.head_channels = 3; }, {"Adm", "head_channels", "3 for 8 channels"});
  check_config([](S& s) { s.head_channels = -1; }, {"Adm", "head_channels", "found -1,"});
  check_config([](S& s) { s.epsilon = 0; }, {"epsilon", "found 0,", "above 0"});
  check_config([](S& s) { s.multipliers = {2, 2}; }, {"Adm", "first multiplier", "found 2,"});
  check_config([](S& s) { s.image = {9, 4, 2}; }, {"Adm", "image", "(9, 4, 2)", "= 2"});
  check_config([](S& s) { s.attention = {2}; }, {"Adm", "attention", "found 2", "8, 4"});
  auto const p = Problem{Conditioning::add};
  check_fails<ErrorCode::shape>(
      [&] {
        p.net(p.theta, normal<double>({3, 8, 8, 2}, {2}), p.at(p.t));
      },
      {"Adm", "(3, 8, 8, 2)", "(8, 4, 2)"});
  check_fails<ErrorCode::config>([&] { p.net(p.theta, p.x, p.t); },
                                 {"condition", "found none", "5 features"});
}

TEST_CASE("the initial weights of ADM follow PyTorch's distributions, with zeros where branches end") {
  auto const net = Adm{{.channels = 32,
                        .multipliers = {1, 2},
                        .blocks = 1,
                        .attention = {16},
                        .head_channels = 32,
                        .embedding = 128,
                        .condition = {.features = 50},
                        .image = {32, 32, 3}}};
  auto const theta = Parameters<T>::initialized(net.parameters(), {1});
  std::map<std::string, Index> fan_in;  // of layers
  for (auto const& entry : net.parameters().entries())
    if (entry.shape.rank() > 1)
      fan_in[entry.name.substr(0, entry.name.rfind('.'))] = entry.shape.count() / entry.shape.back();
  for (ParameterId id = 0; id < net.parameters().entries().size(); ++id) {
    auto const& name = net.parameters().entries()[id].name;
    auto const layer = name.substr(0, name.rfind('.'));
    CAPTURE(name);
    auto const n = static_cast<double>(theta[id].count());
    auto const mean_square = dot(theta[id], theta[id]) / n;
    if (!fan_in.contains(layer)) {  // a normalisation
      CHECK(same_bits(theta[id], T(theta[id].shape(), name.ends_with(".weight") ? 1.0 : 0.0)));
    } else if (layer.ends_with(".conv1") || layer.ends_with(".proj") || layer == "out_conv") {
      CHECK(mean_square == 0.0);
    } else if (layer == "map_label") {
      CHECK(std::abs(mean_square - 1) < 5 * std::sqrt(2 / n));
    } else {
      auto const bound = 1 / std::sqrt(static_cast<double>(fan_in.at(layer)));
      CHECK(magnitude(theta[id]) <= bound);
      CHECK(std::abs(mean_square / (bound * bound / 3) - 1) < 5 * std::sqrt(0.8 / n));
    }
  }
}
