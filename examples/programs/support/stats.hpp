// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <consistency/io/file.hpp>
#include <consistency/training/trainer.hpp>

#include "resident_memory.hpp"
#include "text.hpp"

namespace example {

/// stats.jsonl: every five seconds of training a line of numbers, for programs. A run that goes on drops what
/// is beyond its checkpoint. What cannot be written is said once, and the run goes on.
class Stats {
 public:
  /// Of a run at step `step`.
  Stats(std::filesystem::path path, Index step) : path_{std::move(path)} {
    try {
      keep(step);
    } catch (consistency::error const& failure) {
      complain(failure.what());
    }
  }

  /// `seconds` of training in all; `images` of each step.
  void add(consistency::StepReport const& report, double seconds, Index images) {
    loss_ += report.loss;
    ++steps_;
    if (last_ < 0) {  // the first step warms up
      last_ = seconds;
      steps_ = 0;
      loss_ = 0;
    }
    if (seconds - last_ < interval) return;
    auto const line =
        nlohmann::json{{"step", report.step},
                       {"loss", loss_ / static_cast<double>(steps_)},
                       {"gradient_norm", report.gradient_norm},
                       {"N", report.resolution},
                       {"seconds", seconds},
                       {"images_per_second", static_cast<double>(steps_ * images) / (seconds - last_)},
                       {"memory", resident_memory()}};
    write(line.dump());
    last_ = seconds;
    loss_ = 0;
    steps_ = 0;
  }

 private:
  static constexpr double interval = 5;

  /// The whole lines up to that step stay.
  void keep(Index step) {
    std::error_code failure;
    if (!std::filesystem::exists(path_, failure)) return;
    auto file = std::ifstream{path_};
    std::string kept;
    for (std::string line; std::getline(file, line) && !file.eof();) {
      auto const json = nlohmann::json::parse(line, nullptr, false);
      if (!json.is_object() || !json.contains("step") || !json["step"].is_number_integer()) continue;
      if (json["step"].get<Index>() <= step) kept += line + "\n";
    }
    consistency::write_file_atomically(path_, consistency::text_bytes(step == 0 ? std::string{} : kept));
  }

  void write(std::string const& line) {
    auto file = std::ofstream{path_, std::ios::app};
    file << line << std::endl;
    if (!file) complain(path_.string() + " cannot be written: " + std::strerror(errno));
  }

  void complain(std::string const& what) {
    if (!complained_) std::fprintf(stderr, "%s\n", what.c_str());
    complained_ = true;
  }

  std::filesystem::path path_;
  double loss_ = 0;   // sum since the last line
  double last_ = -1;  // seconds at the last line
  Index steps_ = 0;
  bool complained_ = false;
};

}  // namespace example
