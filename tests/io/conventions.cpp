// SPDX-License-Identifier: MIT
#include <filesystem>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/network/song_unet.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/tensor/cpu.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using Arena = Parameters<Tensor<float>>;
constexpr auto sin_cos = TimeEmbedding::Order::sin_cos;

SongUNet ddpmpp(TimeEmbedding time) {
  return SongUNet{{.channels = 8,
                   .multipliers = {1},
                   .blocks = 1,
                   .attention = {},
                   .embedding = 6,
                   .time = time,
                   .image = {2, 2, 1}}};
}
UNet unet(UNetSettings settings) {
  settings.channels = 8, settings.multipliers = {1}, settings.blocks = 1, settings.attention = {2};
  settings.embedding = 6, settings.image = {2, 2, 1};
  return UNet{settings};
}

void save(std::filesystem::path const& path, ParameterTable const& table) {
  save_parameters(path, Arena::initialized(table, {1}), "averaged", 5, {});
}

/// As files were written before they said their conventions.
void forget_conventions(std::filesystem::path const& path) {
  auto const file = read_safetensors(path);
  auto metadata = file.metadata();
  std::erase_if(metadata, [](auto const& item) {
    return item.first.starts_with("conventions.") || item.first.starts_with("digest");
  });
  REQUIRE(metadata.size() + 2 < file.metadata().size());
  write_safetensors(path, file.entries(), metadata);
}

void check_fits(std::filesystem::path const& path, ParameterTable const& table) {
  CHECK(load_parameters(path, table, "averaged").table().same_layout(table));
}
void check_mismatch(std::filesystem::path const& path, ParameterTable const& table,
                    std::initializer_list<std::string_view> words) {
  check_fails<ErrorCode::mismatch>([&] { load_parameters(path, table, "averaged"); }, words);
}

}  // namespace

TEST_CASE("a file says which time embedding its numbers were trained with, and loading compares it") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  auto const edm = ddpmpp(SongUNetSettings{}.time), plain = ddpmpp({});
  REQUIRE(edm.parameters().same_layout(plain.parameters()));
  save(path, edm.parameters());
  check_fits(path, edm.parameters());
  check_mismatch(path, plain.parameters(),
                 {path.string(), "setting 'time'", "found {.kind = positional, .scale = 1, .endpoint = true",
                  ".order = sin_cos}", "expected {.kind = positional, .scale = 1, .endpoint = false",
                  "Construct the network with .time = {.kind = positional, .scale = 1, .endpoint = true"});
}

TEST_CASE("a file of before is taken for one with cosines first and no endpoint, and the error says so") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  save(path, ddpmpp({}).parameters());
  forget_conventions(path);
  check_fits(path, ddpmpp({}).parameters());
  check_mismatch(path, ddpmpp(SongUNetSettings{}.time).parameters(),
                 {"setting 'time'", "(of files that do not say)",
                  "Construct the network with .time = {.kind = positional, .scale = 1, .endpoint = false, "
                  ".order = cos_sin}"});
}

TEST_CASE("files of before still load into a U-Net and a perceptron of any settings that they could have") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  for (auto const& net : {unet({}), unet({.heads = 2, .time = {.scale = 1000}}),
                          unet({.time = {.kind = TimeEmbedding::Kind::fourier, .scale = 0.02}})}) {
    save(path, net.parameters());
    forget_conventions(path);
    check_fits(path, net.parameters());
  }
  auto const mlp = Mlp{{.width = 4, .embedding = 4}};
  save(path, mlp.parameters());
  forget_conventions(path);
  check_fits(path, mlp.parameters());
  check_mismatch(path, Mlp{{.width = 4, .embedding = 4, .time = {.scale = 4, .order = sin_cos}}}.parameters(),
                 {"setting 'time'", "cos_sin"});
}

TEST_CASE("heads, groups and the embedding's scale change no shape, and are compared") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  save(path, unet({}).parameters());
  check_fits(path, unet({}).parameters());
  check_mismatch(path, unet({.heads = 2}).parameters(), {"setting 'heads'", "found 1", "expected 2"});
  check_mismatch(path, unet({.groups = 4}).parameters(), {"setting 'groups'", "found 8", "expected 4"});
  check_mismatch(path, unet({.time = {.scale = 4}}).parameters(), {"setting 'time'", ".scale = 4"});
}

TEST_CASE("a run is compared with the network before anything is read out of it") {
  TempFolder const folder;
  auto const path = folder / "checkpoint.safetensors";
  auto const net = unet({});
  auto const arena = [&](std::uint64_t seed) { return Arena::initialized(net.parameters(), {seed}); };
  save_checkpoint(path,
                  {arena(1),
                   std::nullopt,
                   arena(2),
                   {},
                   {{"first_moment", arena(3)}, {"second_moment", arena(4)}},
                   7,
                   {1},
                   ""},
                  {});
  auto const file = CheckpointFile{path};
  file.require_run_of(net.parameters());
  check_fails<ErrorCode::mismatch>([&] { file.require_run_of(unet({.heads = 4}).parameters()); },
                                   {"setting 'heads'"});
  check_fails<ErrorCode::mismatch>(
      [&] {
        file.require_run_of(UNet{{.channels = Index{1} << 19, .image = {2, 2, 1}}}.parameters());
      },
      {"differences"});
}
