// SPDX-License-Identifier: MIT
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/autodiff/autodiff.hpp>
#include <consistency/core/parallel.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/network/song_unet.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "derivatives.hpp"

using namespace consistency;
using namespace consistency::test;

static_assert(Network<SongUNet>);

namespace {

using T = Tensor<double>;

/// Attention on the way down and up, a skip of its own in every kind of block, masks.
SongUNetSettings tiny() {
  return {.channels = 8,
          .multipliers = {1, 2},
          .blocks = 1,
          .attention = {4},
          .groups = 4,
          .dropout = 0.3,
          .embedding = 6,
          .image = {8, 4, 2}};
}

std::map<std::string, Shape> shapes(SongUNet const& net) {
  std::map<std::string, Shape> all;
  for (auto const& entry : net.parameters().entries()) all[entry.name] = entry.shape;
  return all;
}

struct Problem {
  Problem() {
    set_threads(1);  // the loops are too small to share
  }

  T value(Parameters<T> const& at) const { return net(at, x, t, mode); }

  SongUNet net{tiny()};
  Parameters<T> theta = moved_parameters(net.parameters());
  T x = normal<double>({3, 8, 4, 2}, {2});
  T t = normal<double>({3, 1, 1, 1}, {3});
  Mode mode{.training = true, .key = {5}, .first = {6, 7}};
};

template <class Change>
void check_config(Change const& change, std::initializer_list<std::string_view> words) {
  auto settings = tiny();
  change(settings);
  check_fails<ErrorCode::config>([&] { SongUNet{settings}; }, words);
}

}  // namespace

TEST_CASE("the DDPM++ for CIFAR-10 has 55,732,739 parameters in 416 tensors") {
  auto const net = SongUNet{};
  CHECK(net.parameters().count() == 55'732'739);
  CHECK(net.parameters().entries().size() == 416);
  CHECK(net.data_shape() == Shape{32, 32, 3});
}

TEST_CASE("the DDPM++ for CIFAR-10 has EDM's names and sizes") {
  auto const at = shapes(SongUNet{});
  CHECK(at.at("map_layer0.weight") == Shape{128, 512});
  CHECK(at.at("map_layer1.bias") == Shape{512});
  CHECK(at.at("enc.32x32_conv.weight") == Shape{3, 3, 3, 128});
  CHECK(at.at("enc.32x32_block0.norm0.weight") == Shape{128});
  CHECK(at.at("enc.32x32_block0.affine.weight") == Shape{512, 256});
  CHECK(at.at("enc.32x32_block0.skip.weight") == Shape{128, 256});
  CHECK(at.at("enc.16x16_down.skip.weight") == Shape{256, 256});
  CHECK(at.at("enc.16x16_block3.qkv.weight") == Shape{256, 768});
  CHECK(at.at("enc.8x8_block3.conv1.weight") == Shape{3, 3, 256, 256});
  CHECK(at.at("dec.8x8_in0.norm2.weight") == Shape{256});
  CHECK(at.at("dec.16x16_block4.proj.bias") == Shape{256});
  CHECK(at.at("dec.32x32_up.skip.bias") == Shape{256});
  CHECK(at.at("dec.32x32_block4.conv0.weight") == Shape{3, 3, 384, 256});
  CHECK(at.at("dec.32x32_aux_norm.bias") == Shape{256});
  CHECK(at.at("dec.32x32_aux_conv.weight") == Shape{3, 3, 256, 3});
  for (auto const* const absent :
       {"enc.32x32_block1.skip.weight", "enc.32x32_block0.qkv.weight", "enc.8x8_block0.qkv.weight",
        "dec.8x8_in1.qkv.weight", "dec.16x16_block3.qkv.weight", "dec.16x16_up.qkv.weight"})
    CHECK_FALSE(at.contains(absent));
}

TEST_CASE("a DDPM++ maps images to images that depend on image and time") {
  auto const p = Problem{};
  auto const y = p.value(p.theta);
  CHECK(y.shape() == p.x.shape());
  CHECK_FALSE(same_bits<double>(p.net(p.theta, evaluated(2.0 * p.x), p.t, p.mode), y));
  CHECK_FALSE(same_bits<double>(p.net(p.theta, p.x, evaluated(2.0 * p.t), p.mode), y));
  CHECK_FALSE(same_bits<double>(p.net(p.theta, p.x, p.t), y));  // without dropout
}

TEST_CASE("every parameter of a DDPM++ has the gradient of finite differences") {
  auto const p = Problem{};
  check_gradients(p.net.parameters(), p.theta,
                  [&](auto const& theta) { return p.net(theta, p.x, p.t, p.mode); });
}

TEST_CASE("forward and reverse mode of a DDPM++ are adjoint to each other") {
  auto const p = Problem{};
  check_adjoint(p.x, [&](auto const& x) { return p.net(p.theta, x, p.t, p.mode); });
}

TEST_CASE("impossible settings of a DDPM++ are rejected with the numbers") {
  using S = SongUNetSettings;
  check_config([](S& s) { s.channels = 7; }, {"SongUNet", "channels", "7", "even"});
  check_config([](S& s) { s.channels = 0; }, {"channels", "0"});
  check_config([](S& s) { s.channels = 2; }, {"channels with an endpoint", "found 2", "4 or more"});
  check_config([](S& s) { s.channels = 2, s.time = {}; }, {"norm0", "2 channels", "0 groups"});
  check_config([](S& s) { s.blocks = 0; }, {"blocks", "found 0", "1 to 63"});
  check_config([](S& s) { s.blocks = 40; }, {"blocks", "40", "at most 63"});
  check_config([](S& s) { s.heads = 0; }, {"heads", "found 0"});
  check_config([](S& s) { s.heads = 3; }, {"16 channels", "3 heads"});
  check_config([](S& s) { s.embedding = -1; }, {"embedding", "-1"});
  check_config([](S& s) { s.multipliers = {}; }, {"multipliers", "found 0"});
  check_config([](S& s) { s.multipliers = {-1}; }, {"multiplier", "-1"});
  check_config([](S& s) { s.groups = 3; }, {"enc.4x2_block0.norm1", "16 channels", "3 groups"});
  check_config([](S& s) { s.dropout = 1; }, {"rate", "found 1,", "[0, 1)"});
  check_config([](S& s) { s.image = {8, 5, 2}; }, {"image", "(8, 5, 2)", "= 2"});
  check_config([](S& s) { s.image = {8, 4}; }, {"image", "(8, 4)", "(h, w, c)"});
  check_config([](S& s) { s.image = {8, 4, 0}; }, {"image", "(8, 4, 0)"});
  check_config([](S& s) { s.time.kind = TimeEmbedding::Kind::fourier; }, {"endpoint", "Fourier"});
}

TEST_CASE("settings of a DDPM++ that are too large for arithmetic are rejected before any of it wraps") {
  using S = SongUNetSettings;
  constexpr auto most = std::numeric_limits<Index>::max();
  constexpr auto text = "9223372036854775807";
  check_config([](S& s) { s.channels = most - 1; }, {"SongUNet", "channels", "9223372036854775806"});
  check_config([](S& s) { s.blocks = most; }, {"SongUNet", "blocks", text});
  check_config([](S& s) { s.heads = most; }, {"SongUNet", "heads", text});
  check_config([](S& s) { s.groups = most; }, {"SongUNet", "groups", text});
  check_config([](S& s) { s.groups = 0; }, {"SongUNet", "groups", "found 0"});
  check_config([](S& s) { s.embedding = most; }, {"SongUNet", "embedding", text});
  check_config([](S& s) { s.multipliers = {1, most}; }, {"SongUNet", "multiplier", text});
  check_config(
      [](S& s) {
        s.channels = 1 << 18, s.multipliers = {1, 8};
      },
      {"SongUNet", "channels of a level", "2097152"});
  check_config([](S& s) { s.multipliers = std::vector<Index>(65, 1); }, {"multipliers", "found 65"});
}

TEST_CASE("attention that a DDPM++ has no place for is rejected with the heights of its levels") {
  using S = SongUNetSettings;
  check_config([](S& s) { s.attention = {2}; },
               {"SongUNet", "attention at a height that no level has", "found 2", "8, 4"});
  check_config([](S& s) { s.attention = {8, 8}; }, {"SongUNet", "twice", "found 8"});
}

TEST_CASE("the initial weights of a DDPM++ follow EDM's distributions") {
  auto const net = SongUNet{{.channels = 32, .blocks = 1, .attention = {16}, .embedding = 128}};
  auto const theta = Parameters<T>::initialized(net.parameters(), {1});
  for (ParameterId id = 0; id < net.parameters().entries().size(); ++id) {
    auto const& name = net.parameters().entries()[id].name;
    auto const& shape = net.parameters().entries()[id].shape;
    CAPTURE(name);
    auto const is_scale = shape.rank() == 1 && name.ends_with(".weight");
    if (shape.rank() == 1) {
      CHECK(same_bits(theta[id], T(shape, is_scale ? 1.0 : 0.0)));
      continue;
    }
    auto const gain = name.ends_with(".conv1.weight") || name.ends_with(".proj.weight") ||
                              name.ends_with("_aux_conv.weight")
                          ? 1e-5
                      : name.ends_with(".qkv.weight") ? std::sqrt(0.2)
                                                      : 1.0;
    auto const window = shape.rank() == 4 ? 9.0 : 1.0;
    auto const fans = window * static_cast<double>(shape.back() + shape[shape.rank() - 2]);
    auto const n = static_cast<double>(shape.count()), variance = 2 * gain * gain / fans;
    // The squares of uniform numbers have variance 4/5 of their squared mean.
    CHECK(std::abs(dot(theta[id], theta[id]) / n / variance - 1) < 5 * std::sqrt(0.8 / n));
    CHECK(magnitude(theta[id]) <= std::sqrt(3 * variance));
    CHECK(std::abs(dot(theta[id], T(shape, 1.0)) / n) < 5 * std::sqrt(variance / n));
  }
}

TEST_CASE("a DDPM++ rejects images of another shape") {
  auto const p = Problem{};
  check_fails<ErrorCode::shape>(
      [&] {
        p.net(p.theta, normal<double>({3, 8, 8, 2}, {2}), p.t);
      },
      {"SongUNet", "(3, 8, 8, 2)", "(8, 4, 2)", "NHWC", "NCHW"});
}
