// SPDX-License-Identifier: MIT
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/model/consistency_function.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

static_assert(Network<UNet>);

namespace {

UNetSettings small() {
  return {.channels = 8, .blocks = 1, .attention = {4}, .groups = 4, .embedding = 16, .image = {8, 8, 1}};
}

/// The small settings with one thing changed.
template <class Change>
UNetSettings with(Change const& change) {
  auto settings = small();
  change(settings);
  return settings;
}

std::vector<UNetSettings> variants() {
  using S = UNetSettings;
  return {
      small(),
      with([](S& s) { s.multipliers = {1}, s.attention = {8}; }),
      with([](S& s) { s.multipliers = {2}, s.attention = {}; }),
      with([](S& s) {
        s.multipliers = {1, 2, 3};
      }),
      with([](S& s) {
        s.multipliers = {3, 1};
      }),
      with([](S& s) {
        s.multipliers = {1, 1, 1, 1};
      }),
      with([](S& s) { s.blocks = 3; }),
      with([](S& s) { s.attention = {}; }),
      with([](S& s) {
        s.attention = {8, 4};
      }),
      with([](S& s) {
        s.attention = {8, 4}, s.heads = 2;
      }),
      with([](S& s) { s.heads = 8; }),
      with([](S& s) { s.groups = 1; }),
      with([](S& s) { s.groups = 8; }),
      with([](S& s) { s.channels = 6, s.groups = 3; }),
      with([](S& s) { s.channels = 9, s.groups = 3; }),  // an odd number of channels
      with([](S& s) { s.patch = 2; }),
      with([](S& s) { s.patch = 4, s.multipliers = {1}, s.attention = {2}; }),
      with([](S& s) {
        s.patch = 2, s.image = {8, 8, 3};
      }),
      with([](S& s) {
        s.patch = 3, s.image = {12, 6, 3};
      }),
      with([](S& s) {
        s.image = {4, 12, 2};
      }),
      with([](S& s) {
        s.image = {2, 2, 1}, s.attention = {2, 1};
      }),
      with([](S& s) { s.embedding = 1; }),
      with([](S& s) { s.embedding = 33; }),
      with([](S& s) { s.dropout = 0.5; }),
      with([](S& s) { s.conditioning = Conditioning::add; }),
      with([](S& s) { s.conditioning = Conditioning::add, s.dropout = 0.1, s.attention = {8}; }),
      with([](S& s) {
        s.time = {TimeEmbedding::Kind::fourier, 0.02};
      }),
      with([](S& s) {
        s.time = {TimeEmbedding::Kind::positional, 1000};
      }),
      with([](S& s) { s.time.endpoint = true; }),
      with([](S& s) { s.time.order = TimeEmbedding::Order::sin_cos; }),
  };
}

Tensor<float> some_images(Shape const& image, Index n) {
  return normal<float>({n, image[0], image[1], image[2]}, {5});
}
Tensor<float> some_times(Index n) {
  auto t = Tensor<float>{Shape{n, 1, 1, 1}};
  for (Index i = 0; i < n; ++i) t.mutable_data()[i] = 0.3F * static_cast<float>(i) - 1;
  return t;
}
auto initialized(UNet const& net, std::uint64_t seed = 1) {
  return Parameters<Tensor<float>>::initialized(net.parameters(), {seed});
}

void check_config(UNetSettings const& settings, std::initializer_list<std::string_view> words) {
  check_fails<ErrorCode::config>([&] { UNet{settings}; }, words);
}

}  // namespace

TEST_CASE("a U-Net of any settings maps images to images") {
  auto number = 0;
  for (auto const& settings : variants()) {
    CAPTURE(number++);
    auto const net = UNet{settings};
    auto const theta = initialized(net);
    CHECK(net.data_shape() == settings.image);
    for (Index const n : {1, 3})
      for (auto const training : {false, true}) {
        auto const x = some_images(settings.image, n);
        Tensor<float> const y = net(theta, x, some_times(n), Mode{.training = training});
        CHECK(y.shape() == x.shape());
        CHECK(magnitude(y) > 0);
        CHECK(magnitude(y) < 100);
      }
  }
}

TEST_CASE("a U-Net's parameters have unique names and fill the table") {
  for (auto const& settings : variants()) {
    auto const net = UNet{settings};
    std::set<std::string> names;
    Index count = 0;
    for (auto const& entry : net.parameters().entries()) {
      names.insert(entry.name);
      count += entry.shape.count();
      CHECK(entry.shape.count() > 0);
    }
    CHECK(names.size() == net.parameters().entries().size());
    CHECK(count == net.parameters().count());
  }
}

TEST_CASE("every setting changes the network") {
  auto const x = some_images({8, 8, 1}, 2);
  auto const run = [&](UNetSettings const& settings) {
    auto const net = UNet{settings};
    return Tensor<float>(net(initialized(net), x, some_times(2), Mode{.training = true}));
  };
  auto const base = run(small());
  for (auto const& settings : variants()) {
    if (settings.image != Shape{8, 8, 1}) continue;
    auto const same = UNet{settings}.parameters().count() == UNet{small()}.parameters().count() &&
                      settings.dropout == 0 && settings.heads == 1 && settings.groups == 4 &&
                      settings.time.text() == small().time.text();
    CHECK(same_bits(run(settings), base) == same);
  }
}

TEST_CASE("a U-Net's output depends on the image, the time and the seed") {
  auto const net = UNet{small()};
  auto const x = some_images({8, 8, 1}, 1);
  auto const t = Tensor<float>(Shape{1, 1, 1, 1}, 0.5F);
  Tensor<float> const y = net(initialized(net), x, t);
  CHECK(same_bits<float>(net(initialized(net), x, t), y));
  CHECK_FALSE(same_bits<float>(net(initialized(net), evaluated(2.0 * x), t), y));
  CHECK_FALSE(same_bits<float>(net(initialized(net), x, evaluated(2.0 * t)), y));
  CHECK_FALSE(same_bits<float>(net(initialized(net, 2), x, t), y));
}

TEST_CASE("a sample's output has the same bits in any batch, with dropout too") {
  auto const net = UNet{with([](UNetSettings& s) { s.dropout = 0.5; })};
  auto const theta = initialized(net);
  auto const x = some_images({8, 8, 1}, 9);
  auto const t = some_times(9);
  for (auto const training : {false, true}) {
    auto const mode = [&](std::uint32_t first) { return Mode{training, {3}, {11, 100 + first}}; };
    Tensor<float> const together = net(theta, x, t, mode(0));
    for (Index i = 0; i < 9; ++i) {
      Tensor<float> const alone = net(theta, x.view(64 * i, {1, 8, 8, 1}).clone(),
                                      t.view(i, {1, 1, 1, 1}).clone(), mode(static_cast<std::uint32_t>(i)));
      CHECK(same_bits(alone, together.view(64 * i, {1, 8, 8, 1})));
    }
  }
}

TEST_CASE("dropout acts in training alone and by key and step") {
  auto const net = UNet{with([](UNetSettings& s) { s.dropout = 0.5; })};
  auto const theta = initialized(net);
  auto const run = [&](Mode const& mode) {
    return Tensor<float>(net(theta, some_images({8, 8, 1}, 2), some_times(2), mode));
  };
  CHECK(same_bits(run({}), run({.training = false, .key = {9}})));
  CHECK_FALSE(same_bits(run({}), run({.training = true})));
  CHECK(same_bits(run({true, {1}, {2, 3}}), run({true, {1}, {2, 3}})));
  CHECK_FALSE(same_bits(run({true, {1}, {2, 3}}), run({true, {2}, {2, 3}})));
  CHECK_FALSE(same_bits(run({true, {1}, {2, 3}}), run({true, {1}, {3, 3}})));
  CHECK_FALSE(same_bits(run({true, {1}, {2, 3}}), run({true, {1}, {2, 4}})));
}

TEST_CASE("impossible settings of a U-Net are rejected with the numbers") {
  using S = UNetSettings;
  check_config(with([](S& s) { s.channels = 0; }), {"UNet", "channels", "found 0"});
  check_config(with([](S& s) { s.channels = -8; }), {"channels", "-8"});
  check_config(with([](S& s) { s.blocks = 0; }), {"blocks", "found 0"});
  check_config(with([](S& s) { s.heads = 0; }), {"heads", "found 0"});
  check_config(with([](S& s) { s.patch = 0; }), {"patch", "found 0"});
  check_config(with([](S& s) { s.embedding = -1; }), {"embedding", "-1"});
  check_config(with([](S& s) { s.multipliers = {}; }), {"multipliers", "found 0"});
  check_config(with([](S& s) { s.multipliers = {1, -2}; }), {"multiplier", "-2"});
  check_config(with([](S& s) { s.blocks = 40; }), {"blocks", "40", "at most"});
  check_config(with([](S& s) { s.image = {8, 8}; }), {"image", "(8, 8)", "(h, w, c)"});
  check_config(with([](S& s) { s.image = {9, 8, 1}; }), {"image", "(9, 8, 1)", "= 2"});
  check_config(with([](S& s) { s.image = {8, 6, 1}, s.patch = 2; }), {"image", "(8, 6, 1)", "= 4"});
  check_config(with([](S& s) {
                 s.image = {28, 28, 1}, s.multipliers = {1, 1, 1, 1};
               }),
               {"(28, 28, 1)", "= 8"});
  check_config(with([](S& s) { s.groups = 3; }), {"down0.0.norm0", "8 channels", "3 groups", "9 channels"});
  check_config(with([](S& s) { s.groups = 0; }), {"UNet", "groups", "found 0"});
  check_config(with([](S& s) { s.heads = 3; }), {"attention", "8 channels", "3 heads"});
  check_config(with([](S& s) { s.dropout = 1; }), {"rate", "found 1,", "[0, 1)"});
  check_config(with([](S& s) { s.dropout = -0.5; }), {"rate", "-0.5"});
  check_config(with([](S& s) { s.time.scale = 0; }), {"TimeEmbedding", "scale", "found 0", "other than 0"});
  check_config(with([](S& s) { s.channels = 1, s.groups = 1; }), {"UNet", "channels", "found 1"});
}

TEST_CASE("settings of a U-Net that are too large for arithmetic are rejected before any of it wraps") {
  using S = UNetSettings;
  constexpr auto most = std::numeric_limits<Index>::max();
  constexpr auto text = "9223372036854775807";
  check_config(with([](S& s) { s.channels = most; }), {"UNet", "channels", text, "1 to 1048576"});
  check_config(with([](S& s) { s.blocks = most; }), {"UNet", "blocks", text, "1 to 63"});
  check_config(with([](S& s) { s.heads = most; }), {"UNet", "heads", text});
  check_config(with([](S& s) { s.groups = most; }), {"UNet", "groups", text});
  check_config(with([](S& s) { s.embedding = most; }), {"UNet", "embedding", text});
  check_config(with([](S& s) { s.patch = most; }), {"UNet", "patch", text});
  check_config(with([](S& s) {
                 s.multipliers = {1, 1, 1}, s.patch = Index{1} << 62;
               }),
               {"UNet", "patch", "4611686018427387904", "1 to 1024"});
  check_config(with([](S& s) { s.multipliers = {1, most}; }), {"UNet", "multiplier", text});
  check_config(with([](S& s) {
                 s.channels = 1 << 12, s.multipliers = {1, 1 << 12};
               }),
               {"UNet", "channels of a level", "16777216"});
  check_config(with([](S& s) { s.multipliers = std::vector<Index>(70, 1); }), {"multipliers", "found 70"});
  check_config(with([](S& s) { s.image = {8, Index{1} << 40, 1}; }), {"UNet", "image", "1099511627776"});
  check_config(with([](S& s) {
                 s.image = {1024, 1024, 1 << 10}, s.patch = 1024;
               }),
               {"UNet", "patch²", "1073741824"});
}

TEST_CASE("a U-Net of the largest settings is described without a number that wraps") {
  auto settings = with([](UNetSettings& s) {
    s.channels = Index{1} << 20, s.multipliers = {1, 1}, s.blocks = 30, s.embedding = Index{1} << 20;
  });
  auto const table = UNet{settings}.parameters();
  double exact = 0;
  for (auto const& entry : table.entries()) {
    auto numbers = 1.0;
    for (auto const extent : entry.shape) numbers *= static_cast<double>(extent);
    exact += numbers;
    CHECK(entry.offset >= 0);
  }
  CHECK(static_cast<double>(table.count()) == exact);
  CHECK(exact > 1e14);
}

TEST_CASE("a U-Net may have 63 blocks on the way down, and no more") {
  auto const deep = with([](UNetSettings& s) { s.blocks = 31; });
  auto const net = UNet{deep};
  Tensor<float> const y = net(initialized(net), some_images(deep.image, 1), some_times(1));
  CHECK(y.shape() == Shape{1, 8, 8, 1});
  CHECK(magnitude(y) > 0);
  check_config(with([](UNetSettings& s) { s.blocks = 32; }),
               {"UNet", "32 on each of 2 levels", "at most 63"});
}

TEST_CASE("attention where it would have no effect is rejected with the heights that levels have") {
  using S = UNetSettings;
  check_config(with([](S& s) { s.attention = {7}; }),
               {"UNet", "attention at a height that no level has", "found 7", "8, 4"});
  check_config(with([](S& s) { s.attention = {4, 2}; }), {"found 2", "8, 4"});
  check_config(with([](S& s) { s.patch = 2, s.attention = {8}; }), {"found 8", "which are 4, 2"});
  check_config(with([](S& s) { s.attention = {4, 8, 4}; }), {"UNet", "twice", "found 4"});
  check_config(with([](S& s) { s.attention = {}, s.heads = 2; }), {"UNet", "heads", "2 without attention"});
}

TEST_CASE("the default U-Net has no attention, for images of any size that halve") {
  for (auto const& image : {Shape{28, 28, 1}, Shape{32, 32, 3}, Shape{6, 10, 2}}) {
    auto const net = UNet{{.image = image}};
    for (auto const& entry : net.parameters().entries())
      CHECK(entry.name.find("attention") == std::string::npos);
  }
}

TEST_CASE("an image without pixels or channels is rejected") {
  using S = UNetSettings;
  check_config(with([](S& s) { s.image = {0, 8, 1}; }), {"UNet", "image", "found 0"});
  check_config(with([](S& s) { s.image = {8, 8, 0}; }), {"UNet", "image", "found 0"});
}

TEST_CASE("images and times of the wrong shape are rejected with the shapes") {
  auto const net = UNet{small()};
  auto const theta = initialized(net);
  auto const run = [&](Shape const& x, Shape const& t) {
    net(theta, Tensor<float>(x, 0.0F), Tensor<float>(t, 1.0F));
  };
  run({3, 8, 8, 1}, {3, 1, 1, 1});
  check_fails<ErrorCode::shape>(
      [&] {
        run({3, 8, 8, 2}, {3, 1, 1, 1});
      },
      {"UNet", "(3, 8, 8, 2)", "(8, 8, 1)"});
  check_fails<ErrorCode::shape>([&] { run({3, 4, 8, 1}, {3, 1, 1, 1}); }, {"UNet", "(3, 4, 8, 1)"});
  check_fails<ErrorCode::shape>([&] { run({3, 1, 8, 8}, {3, 1, 1, 1}); }, {"(3, 1, 8, 8)", "NHWC", "NCHW"});
  check_fails<ErrorCode::shape>([&] { run({3, 64}, {3, 1}); }, {"UNet", "(3, 64)", "(n, h, w, c)"});
  check_fails<ErrorCode::shape>([&] { run({3, 8, 8, 1}, {2, 1, 1, 1}); }, {"(2, 16)"});
}
