// SPDX-License-Identifier: MIT
#pragma once

// What is known of a training, as results.json keeps it.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <consistency/consistency.hpp>
#include <consistency/io/file.hpp>

namespace policies {

using namespace consistency;

/// What makes outcomes comparable.
struct Plan {
  std::string data = "fashion-mnist";  ///< or mixture, checkerboard
  Index batch = 64;
  Index width = 128;  ///< of the network's layers
  Index teacher_steps = 4000;
  Index steps = 1000;  ///< the one budget
  double seconds = 1;  ///< the other: processor time of training on one thread
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Plan, data, batch, width, teacher_steps, steps, seconds)
  bool operator==(Plan const&) const = default;
};

struct Outcome {
  std::string name;    ///< of the combination
  std::string budget;  ///< "steps" or "seconds"
  std::uint64_t seed = 0;
  Index steps = 0;            ///< done
  double seconds = 0;         ///< of processor time, of training alone
  std::vector<Index> at;      ///< steps of the curve
  std::vector<double> curve;  ///< energy distance of samples by one evaluation
  std::vector<Index> evaluations;
  std::vector<double> quality;     ///< energy distance at the end, by so many evaluations
  std::vector<double> divergence;  ///< of the data from samples, by a histogram; of a plane alone
  double loss = 0;                 ///< mean over the last eighth of the training
  std::vector<double> floor;       ///< the loss of the exact flow map, where it is known and not 0
  std::string stopped;             ///< why training ended early, if it did
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Outcome, name, budget, seed, steps, seconds, at, curve, evaluations, quality,
                                 divergence, loss, floor, stopped)

  double milliseconds_per_step() const {
    return 1e3 * seconds / static_cast<double>(std::max<Index>(1, steps));
  }
};

struct Results {
  Plan plan;
  double noise = 0;    ///< what the energy distance says of two sets of real data
  double teacher = 0;  ///< of the teacher's samples, by 35 evaluations
  std::string processor, instructions, compiler;
  std::vector<Outcome> outcomes;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(Results, plan, noise, teacher, processor, instructions, compiler, outcomes)

  Outcome const* find(std::string const& name, std::string const& budget, std::uint64_t seed) const {
    for (auto const& one : outcomes)
      if (one.name == name && one.budget == budget && one.seed == seed) return &one;
    return nullptr;
  }
  void save(std::filesystem::path const& path) const {
    write_file_atomically(path, text_bytes(nlohmann::json(*this).dump(1) + "\n"));
  }
  /// Throws format_error for a file that is none, or has numbers that no training gives.
  static Results load(std::filesystem::path const& path) {
    auto const bytes = read_file(path);
    auto const reject = [&](std::string const& found) {
      fail<format_error>(path.string(), "results of trainings", found, "what policies_quality writes",
                         "Choose another --out.");
    };
    Results read;
    try {
      read = nlohmann::json::parse(reinterpret_cast<char const*>(bytes.data()),
                                   reinterpret_cast<char const*>(bytes.data()) + bytes.size())
                 .get<Results>();
    } catch (nlohmann::json::exception const& failure) {
      reject(printable(failure.what()));
    }
    for (auto const& one : read.outcomes) {
      auto const positive = [](auto const& numbers) {
        return std::all_of(numbers.begin(), numbers.end(), [](Index number) { return number > 0; });
      };
      if (one.at.size() != one.curve.size() || one.quality.size() > one.evaluations.size() ||
          !positive(one.at) || !positive(one.evaluations) || one.steps < 0 || !(one.seconds >= 0))
        reject(printable(one.name) + ": numbers that do not fit each other");
    }
    return read;
  }
};

/// The middle of numbers, NaN of none.
inline double median(std::vector<double> numbers) {
  if (numbers.empty()) return std::nan("");
  std::sort(numbers.begin(), numbers.end());
  auto const half = numbers.size() / 2;
  return numbers.size() % 2 == 1 ? numbers[half] : (numbers[half - 1] + numbers[half]) / 2;
}

}  // namespace policies
