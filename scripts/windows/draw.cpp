// SPDX-License-Identifier: MIT
// What scripts/windows.sh runs on two systems: draws garments with the shipped model, writes them twice, so
// that a file is replaced, and reads them back. Arguments: MODEL.safetensors OUT.safetensors

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <span>

#include <consistency/checkpoint/checkpoint_file.hpp>
#include <consistency/consistency.hpp>
#include <consistency/io/safetensors.hpp>

namespace cm = consistency;

int main(int argc, char** argv) try {
  if (argc != 3) return std::fprintf(stderr, "draw MODEL.safetensors OUT.safetensors\n"), 2;
  auto const out = std::filesystem::path{argv[2]};
  cm::UNet const network{{.attention = {7}, .heads = 2, .patch = 2}};
  cm::ConsistencyFunction const f{network};
  auto const theta =
      cm::PreparedParameters{cm::CheckpointFile{argv[1]}.parameters(f.network().parameters(), "averaged")};

  auto const draw = [&] { return cm::sample(f, theta, cm::OneStep{}, {.seed = 1, .count = 16}); };
  auto const x = draw();  // (n, h, w, c)
  auto const start = std::chrono::steady_clock::now();
  draw();
  std::chrono::duration<double, std::milli> const passed = std::chrono::steady_clock::now() - start;

  auto const entry = cm::tensor_entry("garments", {16, 28, 28, 1}, std::span{x.data(), 16 * 28 * 28});
  for (auto i = 0; i < 2; ++i) cm::write_safetensors(out, {{entry}}, {});
  auto const read = cm::copy_as<float>(*cm::read_safetensors(out).find("garments"));
  auto const same = std::equal(read.begin(), read.end(), x.data());
  try {
    cm::read_safetensors("none.safetensors");
  } catch (cm::io_error const& failure) {
    std::printf("%s\n", failure.what());
  }
  std::printf("%s: 16 garments in %.0f ms on %u threads, read back %s\n", out.string().c_str(),
              passed.count(), cm::threads(), same ? "as they are" : "CHANGED");
  return same ? 0 : 1;
} catch (std::exception const& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
