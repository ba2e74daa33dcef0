// SPDX-License-Identifier: MIT
// Says what this build is and what it computes with on this machine, or what is in a model file. Options:
// info --help

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
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

using consistency::printable;
using Json = nlohmann::ordered_json;

std::string cuda() {
#ifdef EXAMPLE_CUDA
  if (consistency::cuda::on_host()) return "kernels on the host, for tests";
  auto const why = consistency::cuda::unavailable();
  return why.empty() ? "a GPU" : "no GPU can be used: " + why;
#else
  return "not built in (CONSISTENCY_CUDA)";
#endif
}

Json about_this_build() {
  return {{"consistency", consistency::version},
          {"compiler", example::compiler()},
          {"instructions", consistency::cpu::instruction_set()},
          {"threads", consistency::threads()},
          {"cores", std::thread::hardware_concurrency()},
          {"cuda", cuda()}};
}

Json about(std::filesystem::path const& path) {
  auto const file = consistency::CheckpointFile{path};
  auto const model = consistency::detail::parsed_description(file.model());
  return {{"file", path.string()},
          {"library", file.library_version()},
          {"step", file.step()},
          {"process", file.process()},
          {"model", model.is_object() ? Json(model) : Json{}},
          {"settings", file.settings()}};
}

std::string text(Json const& value) {
  return printable(value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', true));
}

/// "network.time.scale 4" for every setting that has a value.
void print_settings(Json const& of, std::string const& path) {
  for (auto const& [key, value] : of.items())
    if (value.is_object())
      print_settings(value, path + key + ".");
    else if (!value.empty() && value != "")
      std::printf("  %-28s %s\n", printable(path + key).c_str(), text(value).c_str());
}

void print(Json const& all) {
  for (auto const& [key, value] : all.items()) {
    auto const missing = value.empty() || value == "";
    auto const said = missing && key == "model" ? "not said: consistency convert FILE writes it in"
                      : missing                 ? "not said"
                      : value.is_object()       ? ""
                      : key == "file"           ? value.get<std::string>()
                                                : text(value);
    std::printf("%-13s %s\n", key.c_str(), said.c_str());
    if (value.is_object()) print_settings(value, "");
  }
}

}  // namespace

int main(int argc, char** argv) try {
  std::filesystem::path file;
  auto json = false;
  CLI::App app{"Says what this build is, or what is in a model file or checkpoint.", "info"};
  app.add_option("file", file, "model.safetensors or a checkpoint");
  app.add_flag("--json", json, "The same as a line of JSON");
  if (auto const status = example::parse(app, {"", "demo/model.safetensors", "--json"}, argc, argv))
    return *status;
  auto const all = file.empty() ? about_this_build() : about(file);
  if (json)
    std::printf("%s\n", all.dump(-1, ' ', true, Json::error_handler_t::replace).c_str());
  else
    print(all);
  return 0;
} catch (std::exception const& failure) {
  return example::failed("info", argc, argv, failure);
}
