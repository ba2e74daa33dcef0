// SPDX-License-Identifier: MIT
// What examples/programs/compare_methods does with the files of a comparison.

#include <limits>
#include <string>
#include <utility>

#include "../../examples/programs/compare_methods/record.hpp"
#include "../support/fails.hpp"
#include "../support/temp_folder.hpp"

using namespace consistency::test;
using namespace consistency;
using compare::Plan, compare::Record;

TEST_CASE("a record of a trained policy that no training can have made is rejected") {
  auto const good =
      Record{.steps = {1, 5}, .quality = {{1, 2}, {3, 4}}, .done = 5, .seconds = 2, .stopped = ""};
  good.check(2);
  auto const rejected = [](Record const& record) {
    check_fails<ErrorCode::format>([&] { record.check(2); }, {"record of a trained policy"});
  };
  auto const changed = [&](auto const& change) {
    auto record = good;
    change(record);
    rejected(record);
  };
  changed([](Record& r) { r.steps = {1}; });
  changed([](Record& r) { r.steps = {5, 1}; });
  changed([](Record& r) { r.steps = {0, 5}; });
  changed([](Record& r) { r.steps = {1, 6}; });
  changed([](Record& r) { r.quality[1] = {}; });
  changed([](Record& r) { r.quality[1][0] = std::numeric_limits<double>::infinity(); });
  changed([](Record& r) { r.seconds = std::numeric_limits<double>::quiet_NaN(); });
  changed([](Record& r) { r.done = -1; });
  changed([](Record& r) { r.stopped = "\x1b[2J"; });
}

TEST_CASE("a plan comes back from its file, and what is none is rejected without its raw bytes") {
  TempFolder const folder;
  auto plan = Plan::for_data("rings");
  plan.images =
      "Gr\xc3\xb6\xc3\x9f"
      "e.gz";
  plan.save(folder / "plan.json");
  CHECK(Plan::load(folder / "plan.json").text() == plan.text());
  for (std::string const text : {"", "{}", "[1, \"\xff\x1b\"]", "\x1b", "{\"data\": 1e999}"}) {
    write_file_atomically(folder / "plan.json", text_bytes(text));
    check_fails<ErrorCode::format>([&] { Plan::load(folder / "plan.json"); }, {"not a plan"});
    try {
      Plan::load(folder / "plan.json");
    } catch (format_error const& failure) {
      CHECK_FALSE(detail::has_control_bytes(failure.what()));
    }
  }
  plan.perceptual = "\x1b[2J";
  plan.save(folder / "plan.json");
  check_fails<ErrorCode::format>([&] { Plan::load(folder / "plan.json"); }, {"not a plan", "\\x1b[2J"});
  plan.perceptual = "";
  for (auto* const count : {&plan.size, &plan.batch, &plan.teacher_steps, &plan.steps, &plan.measurements})
    for (auto const bad : {Index{-1}, std::numeric_limits<Index>::max()}) {
      auto const good = std::exchange(*count, bad);
      plan.save(folder / "plan.json");
      check_fails<ErrorCode::format>([&] { Plan::load(folder / "plan.json"); },
                                     {"not a plan", number_text(bad)});
      *count = good;
    }
  plan.save(folder / "plan.json");
  CHECK(Plan::load(folder / "plan.json").text() == plan.text());
}
