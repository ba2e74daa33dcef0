// SPDX-License-Identifier: MIT
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/io/convert_parameter.hpp>
#include <consistency/io/digest.hpp>
#include <consistency/io/flax_names.hpp>
#include <consistency/io/openai_names.hpp>
#include <consistency/io/torch_parameters.hpp>
#include <consistency/network/dinov2.hpp>
#include <consistency/network/inception_v3.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "golden.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// "name<tab>extents" of every tensor that the map names, sorted.
std::vector<std::string> rows(ParameterTable const& table, NameMap const& names) {
  std::vector<std::string> all;
  for (std::size_t id = 0; id < names.size(); ++id) {
    auto const shape = consistency::detail::part_shape(table.entries()[id].shape, names[id]);
    std::string extents;
    for (auto const extent : consistency::detail::shape_in_file(shape, names[id]))
      extents += (extents.empty() ? "" : "x") + number_text(extent);
    for (auto const& name : names[id].names) all.push_back(name + "\t" + extents + "\n");
  }
  std::sort(all.begin(), all.end());
  return all;
}

/// The rows of a published network: how many, and their digest, of the lines of a table that was printed by
/// the program itself (state_dict(), or flax's parameters), sorted.
void check(ParameterTable const& table, NameMap const& names, std::size_t count,
           std::string const& expected) {
  auto const found = rows(table, names);
  std::string text;
  for (auto const& row : found) text += row;
  CHECK(found.size() == count);
  CHECK(consistency::digest(text_bytes(text)) == expected);
}

}  // namespace

TEST_CASE("every tensor of OpenAI's networks for ImageNet 64 and LSUN 256 has its name and shape") {
  auto const imagenet = Adm{{.condition = {.features = 1000}}};
  check(imagenet.parameters(), openai_names(imagenet), 541, "de8f5f6fbce4d7eaa56111ccea7cec48");
  auto const lsun = Adm{AdmSettings::lsun256()};
  check(lsun.parameters(), openai_names(lsun), 566, "8ed87266fc2adc8ecd538ed798550b6b");
}

TEST_CASE("every tensor of the flax network for CIFAR-10 has its name and shape") {
  auto const net = SongUNet{SongUNetSettings::ncsnpp()};
  CHECK(net.parameters().count() == 56'395'651);
  check(net.parameters(), flax_names(net), 445, "81b3bb1fe5ec4f98027f58f3e268150d");
}

TEST_CASE("every tensor of EDM's networks has its name and shape") {
  auto const with_labels = [](SongUNetSettings s) {
    s.condition.labels = 9;
    return SongUNet{s};
  };
  auto const ddpmpp = with_labels(SongUNetSettings::ddpmpp());
  CHECK(ddpmpp.parameters().count() == 55'733'891);
  check(ddpmpp.parameters(), torch_names(ddpmpp.parameters()), 417, "dbc0e006a021995ab05845043d170a79");
  auto const ncsnpp = with_labels(SongUNetSettings::ncsnpp());
  CHECK(ncsnpp.parameters().count() == 56'397'827 + 128);  // and the frequencies, a buffer there
  check(ncsnpp.parameters(), torch_names(ncsnpp.parameters()), 422, "75e910021fb7376b9335f41c754bef45");
  auto const adm = Adm{{.condition = {.features = 1000}}};
  CHECK(adm.parameters().count() == 295'899'267);
  check(adm.parameters(), torch_names(adm.parameters()), 541, "eb8e65487eae0d0f3cfd1b98afb01315");
}

TEST_CASE("every tensor of the Inception of 2015 and of DINOv2 ViT-L/14 has its name and shape") {
  auto const inception = InceptionV3{};  // of pytorch-fid, without num_batches_tracked
  check(inception.parameters(), torch_names(inception.parameters()), 472, "1a89537325ff4132045781acd877699e");
  auto const dinov2 = DinoV2{};  // of facebookresearch/dinov2, without mask_token
  check(dinov2.parameters(), torch_names(dinov2.parameters()), 342, "8cc0ffb941217b07a8a0bd7547620b4a");
}

TEST_CASE("flax's q, k and v of channel j are rows 3j, 3j + 1 and 3j + 2 of EDM's") {
  auto s = SongUNetSettings::ncsnpp();
  s.channels = 8, s.multipliers = {1, 2, 1}, s.blocks = 1, s.attention = {4}, s.embedding = 16;
  s.image = {8, 8, 3};
  auto const golden = std::filesystem::path{GOLDEN_FOLDER} / "ncsnpp.safetensors";
  auto const net = SongUNet{s};
  auto const theta =
      read_torch_parameters(golden, net.parameters(), {.ignored = {"golden.*", "*map_label*"}});
  TempFolder const folder;
  write_torch_parameters(folder / "flax.safetensors", theta, flax_names(net));
  auto const flax = read_safetensors(folder / "flax.safetensors"), edm = read_safetensors(golden);
  auto const rows_of_edm = copy_as<float>(*edm.find("model.enc.4x4_block0.qkv.weight"));  // (3 c, c, 1, 1)
  constexpr std::size_t c = 16;
  REQUIRE(rows_of_edm.size() == 3 * c * c);
  for (std::size_t map = 0; map < 3; ++map) {
    auto const W = copy_as<float>(*flax.find("AttnBlockpp_0/NIN_" + number_text(map) + "/W"));  // (in, out)
    for (std::size_t i = 0; i < c; ++i)
      for (std::size_t j = 0; j < c; ++j) CHECK(W[i * c + j] == rows_of_edm[(3 * j + map) * c + i]);
  }
  CHECK(same_bits(
      read_torch_parameters(folder / "flax.safetensors", net.parameters(), {.names = flax_names(net)}).flat(),
      theta.flat()));
}

TEST_CASE("networks that another program does not have are rejected by the parameter that it lacks") {
  auto s = SongUNetSettings::ncsnpp();
  s.condition.features = 10;
  check_fails<ErrorCode::config>([&] { flax_names(SongUNet{s}); }, {"flax_names", "map_label"});
  auto const narrow = Adm{{.channels = 64, .multipliers = {1}, .attention = {}, .head_channels = 64}};
  check_fails<ErrorCode::config>([&] { openai_names(narrow); }, {"openai_names", "found 64", "128 or more"});
  auto const labelled = Adm{{.condition = {.features = 10, .labels = 9}}};
  check_fails<ErrorCode::config>([&] { openai_names(labelled); }, {"openai_names", "map_augment"});
}

TEST_CASE("weights are written in PyTorch's layout and read back to the bit") {
  TempFolder const folder;
  auto const net = Adm{{.channels = 8,
                        .multipliers = {1, 2},
                        .blocks = 1,
                        .attention = {4},
                        .head_channels = 8,
                        .groups = 2,
                        .embedding = 16,
                        .condition = {.features = 5},
                        .image = {8, 8, 3}}};
  auto const theta = Parameters<Tensor<float>>::initialized(net.parameters(), {3});
  for (auto const& names : {torch_names(net.parameters()), openai_names(net)}) {
    write_torch_parameters(folder / "w.safetensors", theta, names);
    CHECK(
        same_bits(read_torch_parameters(folder / "w.safetensors", net.parameters(), {.names = names}).flat(),
                  theta.flat()));
  }
  auto const file = read_safetensors(folder / "w.safetensors");
  CHECK(file.find("middle_block.1.qkv.weight")->shape == std::vector<std::uint64_t>{48, 16, 1, 1});
  CHECK(file.find("label_emb.weight")->shape == std::vector<std::uint64_t>{5, 16});
}

TEST_CASE("a part of a file is read by name, and what was asked for must be there") {
  TempFolder const folder;
  auto const net = Adm{{.channels = 8,
                        .multipliers = {1},
                        .blocks = 1,
                        .attention = {},
                        .head_channels = 8,
                        .groups = 2,
                        .embedding = 16,
                        .image = {8, 8, 3}}};
  auto const theta = Parameters<Tensor<float>>::initialized(net.parameters(), {3});
  write_torch_parameters(folder / "w.safetensors", theta);
  auto part = Parameters<Tensor<float>>{net.parameters()};
  read_torch_parameters_into(part, folder / "w.safetensors", {.except = {"out_*"}});
  for (ParameterId id = 0; id < net.parameters().entries().size(); ++id) {
    auto const head = net.parameters().entries()[id].name.starts_with("out_");
    CHECK(same_bits(part[id], head ? Tensor<float>(part[id].shape(), 0.0F) : theta[id]));
  }
  ParameterTable other;
  other.add("enc.8x8_conv.weight", {3, 3, 3, 8}, {});
  other.add("enc.8x8_extra.weight", {8}, {});
  auto some = Parameters<Tensor<float>>{other};
  read_torch_parameters_into(some, folder / "w.safetensors", {.only = {"*_conv.*"}});
  check_fails<ErrorCode::mismatch>(
      [&] { read_torch_parameters_into(some, folder / "w.safetensors", {.only = {"enc.*"}}); },
      {"1 missing: enc.8x8_extra.weight"});
  check_fails<ErrorCode::config>(
      [&] { read_torch_parameters_into(some, folder / "w.safetensors", {.only = {"nothing"}}); },
      {"only", "no parameter"});
  check_fails<ErrorCode::config>(
      [&] { read_torch_parameters(folder / "w.safetensors", net.parameters(), {.only = {"enc.*"}}); },
      {"read_torch_parameters_into"});
}
