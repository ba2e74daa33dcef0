// SPDX-License-Identifier: MIT
// Says what this build is and what it computes with on this machine, or what is in a model file. Options:
// info --help

#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <nlohmann/json.hpp>

#include <consistency/checkpoint/checkpoint_file.hpp>
#include <consistency/checkpoint/model_description.hpp>
#include <consistency/consistency.hpp>
#ifdef EXAMPLE_CUDA  // by CMake, where there is consistency::cuda
#include <consistency/cuda.hpp>
#endif

#include "../support/command_line.hpp"
#include "../support/compiler.hpp"

namespace {

void row(std::string_view name, std::string_view value) {
  std::printf("%-13.*s %.*s\n", static_cast<int>(name.size()), name.data(), static_cast<int>(value.size()),
              value.data());
}

std::string cuda() {
#ifdef EXAMPLE_CUDA
  if (consistency::cuda::on_host()) return "kernels on the host, for tests";
  auto const why = consistency::cuda::unavailable();
  return why.empty() ? "a GPU" : "no GPU can be used: " + why;
#else
  return "not built in (CONSISTENCY_CUDA)";
#endif
}

void about_this_build() {
  row("consistency", consistency::version);
  row("compiler", example::compiler());
  row("instructions", consistency::cpu::instruction_set());
  row("threads", std::to_string(consistency::threads()) + " of " +
                     std::to_string(std::thread::hardware_concurrency()) + " in hardware");
  row("cuda", cuda());
}

/// "network.time.scale 4" for every setting that has a value.
void settings(nlohmann::json const& of, std::string const& path) {
  for (auto const& [key, value] : of.items())
    if (value.is_object())
      settings(value, path + key + ".");
    else if (!value.empty())
      std::printf("  %-28s %s\n", consistency::printable(path + key).c_str(),
                  consistency::printable(value.dump(-1, ' ', true)).c_str());
}

void about(std::filesystem::path const& path) {
  auto const file = consistency::CheckpointFile{path};
  auto const model = consistency::detail::parsed_description(file.model());
  row("file", path.string());
  row("library", consistency::printable(file.library_version()));
  row("step", std::to_string(file.step()));
  row("process", file.process().empty() ? "not said" : consistency::printable(file.process()));
  row("model", model.is_object() ? "" : "not said: describe FILE writes it in");
  if (model.is_object()) settings(model, "");
  row("settings", file.settings().empty() ? "none" : "of the program that wrote it");
  for (auto const& [key, value] : file.settings())
    if (!value.empty())
      std::printf("  %-28s %s\n", consistency::printable(key).c_str(), consistency::printable(value).c_str());
}

}  // namespace

int main(int argc, char** argv) try {
  std::filesystem::path file;
  CLI::App app{"Says what this build is, or what is in a model file or checkpoint.", "info"};
  app.add_option("file", file, "model.safetensors or a checkpoint");
  if (auto const status = example::parse(app, argc, argv)) return *status;
  if (file.empty())
    about_this_build();
  else
    about(file);
  return 0;
} catch (std::exception const& failure) {
  std::fprintf(stderr, "info: %s\n", failure.what());
  return 1;
}
