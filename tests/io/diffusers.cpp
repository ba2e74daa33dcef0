// SPDX-License-Identifier: MIT
#include <filesystem>
#include <initializer_list>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <consistency/io/diffusers.hpp>
#include <consistency/io/openai_names.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "golden.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

std::filesystem::path const golden = std::filesystem::path{GOLDEN_FOLDER} / "diffusers";
auto const folder = golden / "residual_block";

/// The relative error of a network on the numbers that diffusers computed from a folder.
double deviation(std::filesystem::path const& of, Adm const& net, Parameters<Tensor<float>> const& theta) {
  auto const file = read_safetensors(of / "golden.safetensors");
  auto const scale = 1 / net.settings().time.scale;
  Tensor<float> const t = scale * from_torch<float>(*file.find("time"));  // (3, 1, 1, 1)
  Condition<Tensor<float>> condition;
  if (net.settings().condition.features > 0)
    condition = Condition<Tensor<float>>{from_torch<float>(*file.find("labels")).reshaped({3, 5})};
  Tensor<float> const F = net(theta, from_torch<float>(*file.find("x")), Conditions{t, condition});
  return relative_rms(F, from_torch<double>(*file.find("F")));
}

}  // namespace

TEST_CASE("a folder of diffusers gives the network and the numbers that diffusers has") {
  auto const [net, theta] = read_diffusers_unet(folder);
  CHECK(net.data_shape() == Shape{8, 8, 3});
  CHECK(net.settings().attention == std::vector<Index>{4});
  CHECK(net.settings().change == LevelChange::residual_block);
  CHECK(deviation(folder, net, theta) < 1e-5);
}

TEST_CASE("so does one of its default networks, whose images are resampled by convolutions") {
  auto const [net, theta] = read_diffusers_unet(golden / "convolution", 1);
  CHECK(net.settings().attention == std::vector<Index>{8});
  CHECK(net.settings().change == LevelChange::convolution);
  CHECK(deviation(golden / "convolution", net, theta) < 1e-5);
}

TEST_CASE("and one of DDPM, pickled, with the names of diffusers' first versions") {
  auto const [net, theta] = read_diffusers_unet(golden / "ddpm", 1);
  auto const& s = net.settings();
  CHECK(s.change == LevelChange::corner_convolution);
  CHECK(s.head_channels == 0);
  CHECK_FALSE(s.middle_attention);
  CHECK(s.epsilon == 1e-6);
  CHECK(s.time.text() == AdmSettings::ddpm().time.text());
  CHECK(deviation(golden / "ddpm", net, theta) < 1e-5);
}

TEST_CASE(
    "OpenAI's state dict of the same weights gives the same network: its q, k and v follow each other") {
  for (auto const& of : {folder, golden / "convolution"}) {
    auto const [net, theta] = read_diffusers_unet(of);
    auto const openai =
        read_torch_parameters(of / "openai.pt", net.parameters(), {.names = openai_names(net)});
    CHECK(same_bits(openai.flat(), theta.flat()));
    CHECK(deviation(of, net, openai) < 1e-5);
    // In the order of EDM's files, which loads as silently, the numbers are others.
    auto wrong = openai_names(net);
    for (std::size_t id = 0; id < wrong.size(); ++id)
      wrong[id].interleaved = net.parameters().entries()[id].interleaved;
    CHECK(deviation(of, net, read_torch_parameters(of / "openai.pt", net.parameters(), {.names = wrong})) >
          1e-2);
  }
  auto const corner = read_diffusers_unet(golden / "ddpm", 1).network;
  check_fails<ErrorCode::config>([&] { openai_names(corner); }, {"openai_names", "corner_convolution"});
}

TEST_CASE("what is written for diffusers is read back to the bit, and has its names and settings") {
  TempFolder const out;
  for (auto const* const family : {"residual_block", "convolution", "ddpm"}) {
    auto const [net, theta] = read_diffusers_unet(golden / family, 10);
    write_diffusers_unet(out / family, net, theta);
    auto const [again, numbers] = read_diffusers_unet(out / family, 10);
    CHECK(same_bits(numbers.flat(), theta.flat()));
    auto const config = [](std::filesystem::path const& path) {
      return nlohmann::json::parse(bytes_text(read_file(path / "config.json")));
    };
    auto const written = config(out / family), original = config(golden / family);
    for (auto const& [key, value] : written.items())
      if (key != "attn_norm_num_groups") CHECK(original.at(key) == value);  // null is norm_num_groups
  }
  auto const [net, theta] = read_diffusers_unet(folder);
  write_diffusers_unet(out.path(), net, theta);
  auto const theirs = read_safetensors(folder / "diffusion_pytorch_model.safetensors");
  auto const ours = read_safetensors(out / "diffusion_pytorch_model.safetensors");
  CHECK(ours.entries().size() == theirs.entries().size());
  for (auto const& entry : theirs.entries()) {
    CAPTURE(entry.name);
    auto const* const found = ours.find(entry.name);
    REQUIRE(found != nullptr);
    CHECK(found->shape == entry.shape);
    CHECK(copy_as<float>(*found) == copy_as<float>(entry));
  }
}

TEST_CASE("settings of other networks are rejected by name and value") {
  TempFolder const out;
  auto const original = nlohmann::json::parse(bytes_text(read_file(folder / "config.json")));
  auto const check = [&](char const* key, nlohmann::json const& value,
                         std::initializer_list<std::string_view> words) {
    auto config = original;
    config[key] = value;
    write_file_atomically(out / "config.json", text_bytes(config.dump()));
    check_fails<ErrorCode::format>([&] { read_diffusers_unet(out.path()); }, words);
  };
  check("act_fn", "gelu", {"config.json", "setting 'act_fn'", "gelu", "silu"});
  check("freq_shift", 0.5, {"setting 'freq_shift'", "found 0.5", "0 or 1"});
  check("time_embedding_type", "fourier", {"time_embedding_type", "fourier", "positional"});
  check("down_block_types", {"SkipDownBlock2D", "AttnDownBlock2D"}, {"SkipDownBlock2D", "DownBlock2D"});
  check("down_block_types", {"AttnDownBlock2D", "AttnDownBlock2D"},
        {"ResnetUpsampleBlock2D", "on both ways"});
  check("down_block_types", {"DownBlock2D", "AttnDownBlock2D"}, {"DownBlock2D", "one kind of resampling"});
  check("upsample_type", "conv", {"one kind of resampling"});
  check("down_block_types", nlohmann::json::array({"AttnDownBlock2D"}), {"1 and 2", "2 each"});
  check("downsample_padding", 2, {"downsample_padding", "found 2", "0 or 1"});
  check("attention_head_dim", 0, {"attention_head_dim", "found 0", "null for one head"});
  check("layers_per_block", "two", {"layers_per_block", "two"});
  check("sample_size", {8}, {"sample_size"});
  check("block_out_channels", {8, 20}, {"block_out_channels", "multiples"});
  check("use_magic", true, {"setting 'use_magic'", "true"});
  write_file_atomically(out / "config.json", text_bytes("[]"));
  check_fails<ErrorCode::format>([&] { read_diffusers_unet(out.path()); }, {"config.json", "no JSON object"});
  check_fails<ErrorCode::io>([&] { read_diffusers_unet(out / "nowhere"); }, {"nowhere/config.json"});
  auto const net = Adm{{.channels = 8,
                        .multipliers = {1},
                        .blocks = 1,
                        .attention = {},
                        .head_channels = 8,
                        .groups = 2,
                        .embedding = 32,
                        .image = {8, 8, 3}}};
  check_fails<ErrorCode::config>(
      [&] { write_diffusers_pipeline(out.path(), net, Parameters<Tensor<float>>{net.parameters()}); },
      {"time", "1000"});
}
