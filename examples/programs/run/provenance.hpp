// SPDX-License-Identifier: MIT
#pragma once

// What pictures and figures say of where they are from.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <consistency/consistency.hpp>
#include <consistency/io/digest.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/png.hpp>

namespace run {

using namespace consistency;

/// The times of a sampler's evaluations, from T down.
inline std::vector<double> times_of(Multistep const& sampler, NoiseProcess auto const& process) {
  auto times = sampler.times;
  times.insert(times.begin(), process.range().largest);
  return times;
}
/// The times that the steps begin at; Heun's method evaluates at the end of each, too.
inline std::vector<double> times_of(OdeSampler<Heun> const& sampler, NoiseProcess auto const& process) {
  std::vector<double> times;
  for (Index i = 0; i < sampler.steps; ++i) times.push_back(sampler.times()(process, i));
  return times;
}

/// The model, by the digest of its file, and how it was asked.
struct Provenance {
  std::filesystem::path model;
  std::uint64_t seed;
  Index steps;  ///< evaluations per sample
  std::vector<double> times;

  nlohmann::json json() const {
    return {{"software", "consistency " + std::string{version}},
            {"model", digest(read_file(model))},
            {"seed", seed},
            {"steps", steps},
            {"times", times}};
  }

  /// The same in a PNG file: Software, Model, Seed, Steps, Times.
  std::vector<PngText> texts() const {
    auto const all = json();
    std::vector<PngText> texts;
    for (auto const& [name, value] : all.items()) {
      texts.push_back({name, value.is_string() ? value.get<std::string>() : value.dump()});
      auto& initial = texts.back().keyword.front();
      initial = static_cast<char>(initial - 'a' + 'A');
    }
    return texts;
  }
};

}  // namespace run
