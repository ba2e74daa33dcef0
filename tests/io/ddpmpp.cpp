// SPDX-License-Identifier: MIT
#include <cmath>
#include <filesystem>
#include <string_view>

#include <doctest/doctest.h>

#include <consistency/io/safetensors.hpp>
#include <consistency/io/torch_parameters.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/ddpmpp.hpp>
#include <consistency/parameterization/edm_preconditioning.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/fails.hpp"
#include "../support/temp_folder.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// A small DDPM++ with random weights and what EDM's program makes of it: golden/ddpmpp.py.
std::filesystem::path const golden = GOLDEN_FOLDER "/ddpmpp.safetensors";

DdpmPpSettings settings() {
  return {.channels = 8,
          .multipliers = {1, 2},
          .blocks = 1,
          .attention = {4},
          .embedding = 16,
          .image = {8, 8, 3}};
}

bool is_golden(std::string_view name) { return name.starts_with("golden."); }

/// PyTorch's (n, c, h, w) as (n, h, w, c), or (n) as (n, 1, 1, 1).
template <class S>
Tensor<S> from_torch(TensorEntry const& entry) {
  auto const values = copy_as<double>(entry);
  auto const extent = [&](std::size_t axis) {
    return axis < entry.shape.size() ? static_cast<Index>(entry.shape[axis]) : 1;
  };
  auto const channels = extent(1), pixels = extent(2) * extent(3);
  Tensor<S> x{Shape{extent(0), extent(2), extent(3), channels}};
  for (Index i = 0; i < x.count(); ++i) {
    auto const c = i % channels, p = i / channels % pixels, n = i / channels / pixels;
    x.mutable_data()[i] = static_cast<S>(values[static_cast<std::size_t>((n * channels + c) * pixels + p)]);
  }
  return x;
}

/// Root mean square of the difference, relative to that of the second.
template <class S>
double relative_rms(Tensor<S> const& found, Tensor<double> const& expected) {
  REQUIRE(found.shape() == expected.shape());
  double difference = 0, size = 0;
  for (Index i = 0; i < found.count(); ++i) {
    difference += std::pow(static_cast<double>(found[i]) - expected[i], 2);
    size += expected[i] * expected[i];
  }
  return std::sqrt(difference / size);
}

template <class S>
Parameters<Tensor<S>> weights(DdpmPp const& net) {
  auto const theta = read_torch_parameters(golden, net.parameters(), is_golden);
  auto copy = Parameters<Tensor<S>>{net.parameters()};
  for (Index i = 0; i < theta.flat().count(); ++i)
    copy.flat().mutable_data()[i] = static_cast<S>(theta.flat()[i]);
  return copy;
}

}  // namespace

TEST_CASE_TEMPLATE("DDPM++ computes what EDM's own program computes from the same file", S, float, double) {
  auto const file = read_safetensors(golden);
  auto const of = [&]<class N>(N, char const* name) { return from_torch<N>(*file.find(name)); };
  auto const net = DdpmPp{settings()};
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
    auto const net = DdpmPp{other};
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
      [&] { read_torch_parameters(folder / "wide.safetensors", DdpmPp{settings()}.parameters(), is_golden); },
      {"1 of another network", "enc.4x4_down.skip.resample_filter has 0.0625, not 0.25"});
}
