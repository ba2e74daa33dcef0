// SPDX-License-Identifier: MIT
#pragma once

// The results as a table and as JSON.

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "../support/text.hpp"
#include "record.hpp"

namespace compare {

/// Seconds per step of the first student of consistency training; 0 where there is none.
inline double training_seconds(Summary const& s) {
  for (auto const& student : s.students)
    if (student.name.starts_with("ct-")) return student.record.seconds_per_step();
  return 0;
}

inline std::string table(Summary const& s) {
  using example::format;
  auto const unit = training_seconds(s);
  auto const row = [&](Result const& r) {
    auto const relative = unit > 0 ? format("%.2f", r.record.seconds_per_step() / unit) : "–";
    auto line = "| " + r.label + (r.record.stopped.empty() ? "" : ", stopped early") + " | " +
                example::grouped(r.record.done) + " | " + relative + " |";
    for (std::size_t i = 0; i < s.measures.size(); ++i)
      line += r.record.measured() ? format(" %.4g |", r.record.quality.back()[i]) : " – |";
    line += r.record.measured() ? format(" %.4g |", r.record.best_quality()) : " – |";
    return line + "\n";
  };
  auto text = std::string{"| policy | steps | time per step, CT = 1 |"};
  auto rule = std::string{"|---|---|---|"};
  for (auto const& measure : s.measures) text += " " + measure + " |", rule += "---|";
  text += " best of the first |\n" + rule + "---|\n" + row(s.teacher);
  for (auto const& student : s.students) text += row(student);
  return text +
         "\nSmaller is better. The teacher draws with 35 evaluations of its network, students with one. All "
         "students "
         "take the same number of steps on equal batches. " +
         format("Two sets of real data lie %.2g apart.\n", s.noise);
}

inline std::string results_json(Summary const& s) {
  auto const one = [](Result const& r) {
    return nlohmann::json{{"name", r.name}, {"label", r.label}, {"record", r.record}};
  };
  auto all = nlohmann::json{{"plan", s.plan},
                            {"measures", s.measures},
                            {"noise", s.noise},
                            {"teacher", one(s.teacher)},
                            {"students", nlohmann::json::array()}};
  for (auto const& student : s.students) all["students"].push_back(one(student));
  return all.dump(2) + "\n";
}

}  // namespace compare
