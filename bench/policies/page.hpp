// SPDX-License-Identifier: MIT
#pragma once

// policies.html: a table, a heat map and curves of all combinations, in one file that loads nothing.

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../../examples/programs/support/text.hpp"
#include "curves.hpp"
#include "outcome.hpp"
#include "style.hpp"

namespace policies {

/// A combination over all seeds.
struct Row {
  std::string slice, policies;
  std::map<std::string, std::vector<Outcome const*>> of{};  ///< by budget

  /// The median over the seeds that were trained to the end of number i of a list, NaN where there is none.
  double number(std::string const& budget, std::vector<double> Outcome::*list, std::size_t i) const {
    std::vector<double> numbers;
    if (auto const at = of.find(budget); at != of.end())
      for (auto const* const one : at->second)
        if (i < (one->*list).size()) numbers.push_back((one->*list)[i]);
    return median(std::move(numbers));
  }
  double quality(std::string const& budget, std::size_t i) const {
    return number(budget, &Outcome::quality, i);
  }
  double loss() const {
    return over("steps", [](Outcome const& one) { return one.loss; });
  }
  std::vector<Index> evaluations() const { return of.begin()->second.front()->evaluations; }
  double steps(std::string const& budget) const {
    return over(budget, [](Outcome const& one) { return static_cast<double>(one.steps); });
  }
  double milliseconds() const {
    return over("steps", [](Outcome const& one) { return one.milliseconds_per_step(); });
  }
  std::string stopped() const {
    for (auto const& [budget, outcomes] : of)
      for (auto const* const one : outcomes)
        if (!one->stopped.empty()) return one->stopped;
    return {};
  }

 private:
  double over(std::string const& budget, auto const& number) const {
    std::vector<double> numbers;
    if (auto const at = of.find(budget); at != of.end())
      for (auto const* const one : at->second) numbers.push_back(number(*one));
    return median(std::move(numbers));
  }
};

class Page {
 public:
  explicit Page(Results const& results) : r_{results} {
    for (auto const& one : r_.outcomes) {
      auto const slash = one.name.find('/');
      auto const slice = one.name.substr(0, slash);
      auto const policies = slash == std::string::npos ? std::string{} : one.name.substr(slash + 1);
      auto& rows = slices_[slice];
      auto at =
          std::find_if(rows.begin(), rows.end(), [&](Row const& row) { return row.policies == policies; });
      if (at == rows.end()) at = rows.insert(rows.end(), Row{.slice = slice, .policies = policies});
      at->of[one.budget].push_back(&one);
      seeds_.insert(one.seed);
    }
  }

  std::string html() const {
    auto text = std::string{page_head} + "<main>\n" + title() + facts() + table();
    for (auto const& [name, rows] : slices_) text += slice(name, rows);
    return text + foot() + "</main>\n" + page_script + "</html>\n";
  }

 private:
  using Rows = std::vector<Row>;

  std::string task() const {
    return r_.plan.data == "fashion-mnist" ? "Fashion-MNIST, 7 × 7"
           : r_.plan.data == "mixture"     ? "Eight Gaussians in a plane"
                                           : "A checkerboard";
  }
  static std::string number(double value) { return std::isnan(value) ? "–" : example::format("%.3g", value); }
  static std::string fact(std::string const& value, std::string const& meaning) {
    return "<div><b>" + value + "</b><span>" + meaning + "</span></div>\n";
  }

  std::string title() const {
    return "<h1>Combinations of policies</h1>\n<p class=\"soft\">" + task() +
           ". Every combination is trained twice, for equal steps and for equal processor time, on batches "
           "of " +
           std::to_string(r_.plan.batch) +
           " with one thread. The number is the energy distance between samples and data that nobody trained "
           "on: smaller is better. Students of a teacher begin with its weights. No policy was tuned.</p>\n";
  }
  std::string facts() const {
    std::size_t combinations = 0;
    for (auto const& [name, rows] : slices_) combinations += rows.size();
    return "<div class=\"facts\">\n" + fact(std::to_string(combinations), "combinations") +
           fact(std::to_string(seeds_.size()), seeds_.size() == 1 ? "seed" : "seeds, of which medians") +
           fact(example::grouped(r_.plan.steps), "steps, the one budget") +
           fact(example::format("%g s", r_.plan.seconds), "the other budget") +
           fact(number(r_.teacher), "the teacher, 35 evaluations") +
           fact(number(r_.noise), "two sets of real data") + "</div>\n";
  }

  static std::string cell(double value) {
    return "<td data-value=\"" + (std::isnan(value) ? "1e99" : example::format("%.9g", value)) + "\">" +
           number(value) + "</td>";
  }
  std::string table() const {
    auto text = std::string{
        "<h2>All combinations</h2>\n<p class=\"soft note\">A click on a head sorts. “1”, “2” and “4” are "
        "evaluations of the network for a sample; many is 16, of denoisers 35.</p>\n"
        "<div class=\"scroll\"><table class=\"all\"><thead><tr><th>combination</th>"
        "<th>equal steps: 1</th><th>2</th><th>4</th><th>many</th><th>ms for a step</th>"
        "<th>equal time: 1</th><th>2</th><th>4</th><th>many</th><th>steps in it</th></tr></thead><tbody>\n"};
    for (auto const& [name, rows] : slices_)
      for (auto const& row : rows) {
        auto const stopped = row.stopped();
        text += "<tr><td><span class=\"soft\">" + escaped(row.slice) + "</span> " + escaped(row.policies) +
                (stopped.empty() ? "" : " <abbr title=\"" + escaped(stopped) + "\">stopped</abbr>") + "</td>";
        auto const last = row.evaluations().size() - 1;
        for (auto const i : {std::size_t{0}, std::size_t{1}, std::size_t{2}, last})
          text += cell(row.quality("steps", i));
        text += cell(row.milliseconds());
        for (auto const i : {std::size_t{0}, std::size_t{1}, std::size_t{2}, last})
          text += cell(row.quality("seconds", i));
        text += cell(row.steps("seconds")) + "</tr>\n";
      }
    return text + "</tbody></table></div>\n";
  }

  /// "a+b+c" as "a b" and "c": the last axis lies across.
  static std::pair<std::string, std::string> split(std::string const& policies) {
    auto const at = policies.rfind('+');
    if (at == std::string::npos) return {policies, "all"};
    auto down = policies.substr(0, at);
    std::replace(down.begin(), down.end(), '+', ' ');
    return {down, policies.substr(at + 1)};
  }
  static std::string heat_map(Rows const& rows, std::string const& budget, std::string const& caption) {
    std::vector<std::string> down, across;
    std::map<std::pair<std::string, std::string>, double> values;
    auto low = 1e99, high = 0.0;
    auto const once = [](auto& names, std::string const& name) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    };
    for (auto const& row : rows) {
      auto const place = split(row.policies);
      once(down, place.first);
      once(across, place.second);
      auto const value = values[place] = row.quality(budget, 0);
      if (!(value > 0)) continue;  // NaN, or less than nothing by chance
      low = std::min(low, value);
      high = std::max(high, value);
    }
    auto text = "<figure><figcaption>" + caption +
                "</figcaption><div class=\"scroll\"><table class=\"heat\"><tr><th></th>";
    for (auto const& name : across) text += "<th>" + escaped(name) + "</th>";
    for (auto const& one : down) {
      text += "</tr>\n<tr><th>" + escaped(one) + "</th>";
      for (auto const& other : across) {
        auto const at = values.find({one, other});
        text += at == values.end()       ? "<td></td>"
                : std::isnan(at->second) ? "<td class=\"none\">stopped</td>"
                                         : colored(at->second, low, high);
      }
    }
    return text + "</tr></table></div></figure>\n";
  }
  /// Dark is near the data; logarithmic.
  static std::string colored(double value, double low, double high) {
    auto const share =
        high > low ? std::log(std::max(value, low) / low) / std::log(high / low) : 0.0;  // 0 good, 1 bad
    return example::format("<td style=\"background:hsl(212 60%% %.0f%%);color:%s\">%s</td>", 28 + 64 * share,
                           share < 0.4 ? "#fff" : "#0b1018", number(value).c_str());
  }

  /// What more evaluations bring, after equal steps; the divergence of points; and losses whose floor is
  /// known beside it.
  static std::string by_evaluations(Rows const& rows) {
    auto const evaluations = rows.front().evaluations();
    auto const any = [&](auto const& has) { return std::any_of(rows.begin(), rows.end(), has); };
    auto const of_plane =
        any([](Row const& row) { return !std::isnan(row.number("steps", &Outcome::divergence, 0)); });
    auto const with_floor =
        any([](Row const& row) { return !std::isnan(row.number("steps", &Outcome::floor, 0)); });
    if (!of_plane && !with_floor) return {};
    auto text = std::string{
        "<figure><figcaption>Equal steps. KL: the divergence of the data from samples, by a histogram, in "
        "nats. Floor: the loss that the exact flow map would have, by the teacher's flow.</figcaption>"
        "<div class=\"scroll\"><table class=\"all\"><thead><tr><th>combination</th>"};
    for (auto const* const measure : {"energy distance: ", "KL: "}) {
      if (*measure == 'K' && !of_plane) continue;
      for (auto const& one : evaluations)
        text +=
            "<th>" + (one == evaluations.front() ? std::string{measure} : "") + std::to_string(one) + "</th>";
    }
    text += std::string{with_floor ? "<th>loss</th><th>floor</th>" : ""} + "</tr></thead><tbody>\n";
    for (auto const& row : rows) {
      text += "<tr><td>" + escaped(row.policies) + "</td>";
      for (std::size_t i = 0; i < evaluations.size(); ++i) text += cell(row.quality("steps", i));
      for (std::size_t i = 0; of_plane && i < evaluations.size(); ++i)
        text += cell(row.number("steps", &Outcome::divergence, i));
      if (with_floor) text += cell(row.loss()) + cell(row.number("steps", &Outcome::floor, 0));
      text += "</tr>\n";
    }
    return text + "</tbody></table></div></figure>\n";
  }

  static std::string slice(std::string const& name, Rows const& rows) {
    std::vector<CurveLine> lines;
    for (auto const& row : rows) {
      auto const at = row.of.find("steps");
      if (at == row.of.end()) continue;
      lines.push_back(
          {row.policies, row.quality("steps", 0), at->second.front()->at, at->second.front()->curve});
    }
    return "<h2>" + escaped(name) + "</h2>\n<div class=\"maps\">\n" +
           heat_map(rows, "steps", "Equal steps, one evaluation") +
           heat_map(rows, "seconds", "Equal time, one evaluation") + "</div>\n" + by_evaluations(rows) +
           Curves{std::move(lines)}.html();
  }

  std::string foot() const {
    return "<footer>Processor: " + escaped(r_.processor) + ", " + escaped(r_.instructions) +
           ", one thread. Compiler: " + escaped(r_.compiler) + ". consistency " + std::string{version} +
           ". Teacher: " + example::grouped(r_.plan.teacher_steps) +
           " steps. Network: a perceptron of width " + std::to_string(r_.plan.width) + ".</footer>\n";
  }

  Results const& r_;
  std::map<std::string, Rows> slices_;
  std::set<std::uint64_t> seeds_;
};

}  // namespace policies
