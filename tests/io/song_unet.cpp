// SPDX-License-Identifier: MIT
#include <cmath>
#include <filesystem>
#include <string_view>

#include <doctest/doctest.h>

#include <consistency/io/safetensors.hpp>
#include <consistency/io/torch_parameters.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/song_unet.hpp>
#include <consistency/parameterization/edm_preconditioning.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/fails.hpp"
#include "../support/temp_folder.hpp"
#include "golden.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// A small DDPM++ with random weights and what EDM's program makes of it: golden/ddpmpp.py.
std::filesystem::path const golden = GOLDEN_FOLDER "/ddpmpp.safetensors";

SongUNetSettings settings() {
  return {.channels = 8,
          .multipliers = {1, 2},
          .blocks = 1,
          .attention = {4},
          .embedding = 16,
          .image = {8, 8, 3}};
}

template <class S>
Parameters<Tensor<S>> weights(SongUNet const& net) {
  return golden_weights<S>(golden, net);
}

}  // namespace

TEST_CASE_TEMPLATE("DDPM++ computes what EDM's own program computes from the same file", S, float, double) {
  auto const file = read_safetensors(golden);
  auto const of = [&]<class N>(N, char const* name) { return from_torch<N>(*file.find(name)); };
  auto const net = SongUNet{settings()};
  auto const theta = weights<S>(net);
  auto const tolerance = sizeof(S) == 4 ? 2e-6 : 1e-14;
  Tensor<S> const F = net(theta, of(S{}, "golden.x"), of(S{}, "golden.noise"));
  CHECK(relative_rms(F, of(0.0, "golden.F")) < tolerance);
  auto const denoiser = Denoiser{net};
  Tensor<S> const D = denoiser(theta, of(S{}, "golden.noisy"), of(S{}, "golden.sigma"));
  CHECK(relative_rms(D, of(0.0, "golden.D")) < tolerance);
}

TEST_CASE("the embedding's endpoint and order are two of the things that make DDPM++ EDM's") {
  auto const file = read_safetensors(golden);
  for (auto const time :
       {TimeEmbedding{.endpoint = true}, TimeEmbedding{.order = TimeEmbedding::Order::sin_cos}}) {
    auto other = settings();
    other.time = time;
    auto const net = SongUNet{other};
    Tensor<double> const F = net(weights<double>(net), from_torch<double>(*file.find("golden.x")),
                                 from_torch<double>(*file.find("golden.noise")));
    CHECK(relative_rms(F, from_torch<double>(*file.find("golden.F"))) > 1e-4);
  }
}

TEST_CASE("a file of another resampling filter is rejected, though names and shapes of parameters agree") {
  TempFolder const folder;
  auto const file = read_safetensors(golden);
  auto const filter = std::string{"model.enc.4x4_down.skip.resample_filter"};
  auto const wide = std::vector<float>(16, 0.0625F);
  std::vector<TensorEntry> entries{file.entries().begin(), file.entries().end()};
  for (auto& entry : entries)
    if (entry.name == filter) entry = tensor_entry(filter, {1, 1, 4, 4}, std::span<float const>{wide});
  write_safetensors(folder / "wide.safetensors", entries);
  check_fails<ErrorCode::mismatch>(
      [&] {
        read_torch_parameters(folder / "wide.safetensors", SongUNet{settings()}.parameters(),
                              {.ignored = {"golden.*"}});
      },
      {"1 of another network", "enc.4x4_down.skip.resample_filter has 0.0625, not 0.25"});
}
