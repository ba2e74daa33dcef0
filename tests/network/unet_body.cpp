// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/network/unet_body.hpp>
#include <consistency/tensor/cpu.hpp>

using namespace consistency;

namespace {

struct Settings {
  Index channels = 8;
  std::vector<Index> multipliers = {1, 2};
  Index blocks = 1;
};

/// Layers that write down what they are asked for: "path level.block in > out".
struct Layers {
  ParameterTable& table;
  std::vector<std::string>& asked;

  ConditionEmbedding conditions() const { return {table, {"condition"}, {}, 4, {}}; }
  Linear embed_hidden() const { return {table, "hidden", 4, 6}; }
  Linear embed() const { return {table, "embed", 6, 6}; }
  Convolution first() const { return {table, "first", 3, 8}; }
  ResidualBlock block(UNetPlace const& at, Index in, Index out) const {
    auto const path = std::vector<std::string>{"down ", "middle ", "up "}[static_cast<std::size_t>(at.path)];
    auto const block = at.resampling == Resampling::none ? number_text(at.block) : "resample";
    asked.push_back(path + number_text(at.level) + "." + block + " " + number_text(in) + " > " +
                    number_text(out));
    return {table, asked.back(), in, out,
            ResidualBlockSettings{.embedding = 6, .groups = 1, .resampling = at.resampling}};
  }
  Normalization norm(Index channels) const { return {table, "norm", channels, {.groups = 1}}; }
  Convolution last(Index channels) const { return {table, "last", channels, 5}; }
};

}  // namespace

TEST_CASE("a U-Net reads going up, last first, every map that it made going down") {
  ParameterTable table;
  std::vector<std::string> asked;
  auto const body = UNetBody{Settings{}, Layers{table, asked}, 2};
  auto const expected = std::vector<std::string>{
      "down 0.0 8 > 8",         //
      "down 1.resample 8 > 8",  //
      "down 1.0 8 > 16",        //
      "middle 1.0 16 > 16",     //
      "middle 1.1 16 > 16",     //
      "up 1.0 32 > 16",         // with the 16 channels of down 1.0
      "up 1.1 24 > 16",         // with the 8 of down 1.resample
      "up 0.resample 16 > 16",  //
      "up 0.0 24 > 8",          // with the 8 of down 0.0
      "up 0.1 16 > 8",          // with the 8 of the first convolution
  };
  CHECK(asked == expected);
  CHECK(table.entries()[4].name == "first.weight");
  CHECK(table.entries().back().name == "last.bias");
}

TEST_CASE("a U-Net gives a map of the size it takes, with the channels of its last layer") {
  ParameterTable table;
  std::vector<std::string> asked;
  auto const body = UNetBody{Settings{}, Layers{table, asked}, 1};
  auto const theta = Parameters<Tensor<float>>::initialized(table, {1});
  auto const x = normal<float>({2, 6, 4, 3}, {2});  // (n, h, w, c)
  auto const time = normal<float>({2, 1}, {3});     // (n, 1)
  auto const y = body(theta, x, time, Mode{});      // (n, h, w, 5)
  CHECK(y.shape() == Shape{2, 6, 4, 5});
  auto const alone = body(theta, x.view(72, {1, 6, 4, 3}), time.view(1, {1, 1}), Mode{});
  for (Index i = 0; i < alone.count(); ++i) CHECK(alone[i] == y[alone.count() + i]);
}
