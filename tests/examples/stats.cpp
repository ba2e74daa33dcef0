// SPDX-License-Identifier: MIT
// stats.jsonl of examples/programs/support/stats.hpp.

#include "../../examples/programs/support/stats.hpp"

#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "../support/temp_folder.hpp"

using namespace consistency;
using consistency::test::TempFolder;
using example::Stats;

namespace {

std::vector<std::string> lines(std::filesystem::path const& path) {
  std::vector<std::string> all;
  auto file = std::ifstream{path};
  for (std::string line; std::getline(file, line);) all.push_back(line);
  return all;
}

/// Steps `from` + 1 … `to`, of a second each.
void train(Stats& stats, Index from, Index to) {
  for (Index step = from + 1; step <= to; ++step)
    stats.add({.step = step, .loss = static_cast<double>(step), .gradient_norm = 0.5, .resolution = 8},
              static_cast<double>(step), 64);
}

}  // namespace

TEST_CASE("every five seconds a line says what the steps since the last one were") {
  TempFolder const folder;
  auto const path = folder / "stats.jsonl";
  auto stats = Stats{path, 0};
  train(stats, 0, 17);
  auto const all = lines(path);
  REQUIRE(all.size() == 3);
  auto const second = nlohmann::json::parse(all[1]);
  CHECK(second["step"] == 11);
  CHECK(second["loss"] == 9.0);  // the mean of steps 7 … 11
  CHECK(second["images_per_second"] == 64.0);
  CHECK(second["N"] == 8.0);
  CHECK(second["memory"].get<Index>() > 0);
}

TEST_CASE("a run that goes on drops lines beyond its checkpoint and what a crash has left of one") {
  TempFolder const folder;
  auto const path = folder / "stats.jsonl";
  {
    auto stats = Stats{path, 0};
    train(stats, 0, 17);
  }
  std::ofstream{path, std::ios::app} << "no JSON\n{\"step\": 3}\n{\"step\": 2";
  auto stats = Stats{path, 12};
  auto const kept = lines(path);
  REQUIRE(kept.size() == 3);  // steps 6, 11 and the whole line of step 3
  CHECK(nlohmann::json::parse(kept[1])["step"] == 11);
  train(stats, 12, 18);
  CHECK(nlohmann::json::parse(lines(path).back())["step"] == 18);
  Stats{path, 0};
  CHECK(lines(path).empty());
}

TEST_CASE("a disk that takes no line does not end a run") {
  TempFolder const folder;
  auto stats = Stats{folder / "nowhere" / "stats.jsonl", 0};
  train(stats, 0, 30);
  CHECK(folder.files() == 0);
}
