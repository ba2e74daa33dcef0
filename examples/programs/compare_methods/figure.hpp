// SPDX-License-Identifier: MIT
#pragma once

// figure.svg: four small multiples, as in Figure 3 of Song et al. 2023.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "../support/text.hpp"
#include "policy.hpp"
#include "table.hpp"

namespace compare {

/// Steps across, quality up on a logarithmic axis that all panels share.
class Figure {
 public:
  explicit Figure(Summary const& summary) : s_{summary} {
    low_ = high_ = s_.teacher.record.final_quality();
    for (auto const& student : s_.students)
      for (auto const& quality : student.record.quality) {
        low_ = std::min(low_, quality.front());
        high_ = std::max(high_, quality.front());
      }
    low_ = std::max({low_, s_.noise, 1e-9}) / 1.2;
    high_ = std::max(high_, 2 * low_) * 1.2;
  }

  std::string svg() const {
    auto const& plan = s_.plan;
    auto text = head();
    text += label(24, 30, "title", "start", "One-step samples over training: " + subtitle());
    text += label(24, 50, "", "start",
                  "Up: " + s_.measures.front() + "; logarithmic, smaller is better. Dashed: the teacher's.");
    text += label(24, 66, "", "start", "Across: training steps, batches of " + grouped(plan.batch) + ".");
    auto const panels = this->panels();
    for (std::size_t i = 0; i < panels.size(); ++i)
      text +=
          example::format("<g transform=\"translate(%g %g)\">\n", static_cast<double>(i % 2) * panel_width,
                          85 + static_cast<double>(i / 2) * panel_height) +
          draw(panels[i]) + "</g>\n";
    return text + "</svg>\n";
  }

 private:
  struct Line {
    Result const* result;
    std::string label;
  };
  struct Panel {
    std::string title;
    std::vector<Line> lines;
  };
  static constexpr double panel_width = 530, panel_height = 330;
  static constexpr double left = 62, right = 160, top = 40, bottom = 40;  // margins of a panel

  static std::string grouped(Index number) { return example::grouped(number); }

  std::string subtitle() const {
    if (!s_.plan.pictures()) return s_.plan.data;
    auto const side = std::to_string(s_.plan.size);
    return "Fashion-MNIST, " + side + " × " + side;
  }

  /// The student of a name, if it was trained.
  Result const* find(std::string const& name) const {
    for (auto const& student : s_.students)
      if (student.name == name && student.record.measured()) return &student;
    return nullptr;
  }
  /// The best one, at the end, of those whose names begin so.
  Result const* best(std::string const& prefix) const {
    Result const* found = nullptr;
    for (auto const& student : s_.students)
      if (student.name.starts_with(prefix) && student.record.measured() &&
          (found == nullptr || student.record.final_quality() < found->record.final_quality()))
        found = &student;
    return found;
  }

  std::vector<Panel> panels() const {
    auto const named = [&](std::string title,
                           std::vector<std::pair<std::string, std::string>> const& policies) {
      auto panel = Panel{std::move(title), {}};
      for (auto const& [name, text] : policies)
        if (auto const* const result = find(name)) panel.lines.push_back({result, text});
      return panel;
    };
    auto last = Panel{"(d) The best of each kind", {}};
    for (auto const* const kind : {"cd-", "ct-", "pd-", "continuous-cd-", "continuous-ct-"})
      if (auto const* const result = best(kind)) last.lines.push_back({result, result->label});
    return {named("(a) CD: metric and solver, N = 18", {{"cd-l2-heun-18", "L2, Heun"},
                                                        {"cd-lpips-heun-18", "LPIPS, Heun"},
                                                        {"cd-lpips-euler-18", "LPIPS, Euler"},
                                                        {"cd-l1-heun-18", "L1, Heun"},
                                                        {"cd-l2-euler-18", "L2, Euler"},
                                                        {"cd-l1-euler-18", "L1, Euler"}}),
            named("(b) CD: solver and N, L2", {{"cd-l2-heun-9", "Heun, N = 9"},
                                               {"cd-l2-heun-12", "Heun, N = 12"},
                                               {"cd-l2-heun-18", "Heun, N = 18"},
                                               {"cd-l2-heun-36", "Heun, N = 36"},
                                               {"cd-l2-euler-9", "Euler, N = 9"},
                                               {"cd-l2-euler-12", "Euler, N = 12"},
                                               {"cd-l2-euler-18", "Euler, N = 18"},
                                               {"cd-l2-euler-36", "Euler, N = 36"}}),
            named("(c) CT: fixed and adaptive N", {{"ct-l2-9", "N = 9"},
                                                   {"ct-l2-18", "N = 18"},
                                                   {"ct-l2-60", "N = 60"},
                                                   {"ct-l2-adaptive", "N and μ adaptive"}}),
            std::move(last)};
  }

  double x(Index step) const {
    return left +
           (panel_width - left - right) * static_cast<double>(step) / static_cast<double>(s_.plan.steps);
  }
  double y(double quality) const {
    auto const place = std::log(high_ / std::max(quality, low_)) / std::log(high_ / low_);
    return top + (panel_height - top - bottom) * place;
  }

  static std::string label(double at_x, double at_y, std::string const& kind, char const* anchor,
                           std::string const& text) {
    return example::format("<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", kind.c_str(), at_x,
                           at_y, anchor) +
           text + "</text>\n";
  }

  /// Of line number i of `count` in a panel.
  static std::string colour(std::size_t i, std::size_t count) {
    return example::format("hsl(%.0f, 62%%, 48%%)",
                           std::fmod(215 + 360 * static_cast<double>(i) / static_cast<double>(count), 360));
  }

  std::string head() const {
    return example::format(
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" role=\"img\" "
               "aria-label=\"Quality of one-step samples over training\">\n",
               2 * panel_width, 95 + 2 * panel_height) +
           R"(<style>
text { font: 12px system-ui, sans-serif; fill: #667085; }
.title { font-size: 16px; font-weight: 600; fill: #1c2430; } .panel { font-size: 13px; fill: #1c2430; }
.paper { fill: #fff; } .grid { stroke: #e4e4e0; }
.teacher { stroke: #1c2430; stroke-dasharray: 6 4; fill: none; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
@media (prefers-color-scheme: dark) {
  text { fill: #9aa3b2; } .title, .panel { fill: #e7e9ee; } .paper { fill: #14161a; } .grid { stroke: #31363f; }
  .teacher { stroke: #e7e9ee; }
}
</style>
<rect class="paper" width="100%" height="100%"/>
)";
  }

  std::string draw(Panel const& panel) const {
    auto const end = panel_width - right;
    auto text = label(left, top - 14, "panel", "start", panel.title) + grid();
    auto const teacher = y(s_.teacher.record.final_quality());
    text += example::format("<path class=\"teacher\" d=\"M%g %.1fH%g\"/>\n", left, teacher, end);
    auto const count = panel.lines.size();
    for (std::size_t i = 0; i < count; ++i) text += curve(*panel.lines[i].result, colour(i, count));
    auto const places = spread(panel.lines);
    for (std::size_t i = 0; i < panel.lines.size(); ++i) {
      auto const& line = panel.lines[i];
      text += example::format("<text x=\"%.1f\" y=\"%.1f\" style=\"fill:%s\">", end + 8, places[i] + 4,
                              colour(i, count).c_str()) +
              line.label + "</text>\n";
    }
    return text;
  }

  std::string grid() const {
    std::string text;
    auto const decades = std::log10(high_ / low_);
    for (auto power = std::floor(std::log10(low_)); power <= std::log10(high_); ++power)
      for (auto const digit : {1.0, 2.0, 5.0}) {
        auto const quality = digit * std::pow(10, power);
        if (quality < low_ || quality > high_ || (digit != 1 && decades > 3)) continue;
        text += example::format("<path class=\"grid\" d=\"M%g %.1fH%g\"/>\n", left, y(quality),
                                panel_width - right);
        text += label(left - 8, y(quality) + 4, "", "end", example::format("%g", quality));
      }
    for (Index const step : {Index{0}, s_.plan.steps / 2, s_.plan.steps})
      text += label(x(step), panel_height - bottom + 18, "", "middle", grouped(step));
    return text;
  }

  std::string curve(Result const& result, std::string const& stroke) const {
    std::string path;
    for (std::size_t i = 0; i < result.record.steps.size(); ++i)
      path += example::format("%s%.1f %.1f", i == 0 ? "M" : "L", x(result.record.steps[i]),
                              y(result.record.quality[i].front()));
    return "<path class=\"curve\" style=\"stroke:" + stroke + "\" d=\"" + path + "\"><title>" + result.label +
           "</title></path>\n";
  }

  /// Where the labels stand: beside the ends of their lines, moved so that none covers another.
  std::vector<double> spread(std::vector<Line> const& lines) const {
    constexpr auto spacing = 14.0;
    std::vector<std::size_t> order(lines.size());
    std::vector<double> places(lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
      order[i] = i;
      places[i] = y(lines[i].result->record.final_quality());
    }
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return places[a] < places[b]; });
    for (std::size_t i = 1; i < order.size(); ++i)
      places[order[i]] = std::max(places[order[i]], places[order[i - 1]] + spacing);
    auto lowest = panel_height - bottom;
    for (auto i = order.size(); i-- > 0; lowest = places[order[i]] - spacing)
      places[order[i]] = std::min(places[order[i]], lowest);
    return places;
  }

  Summary s_;
  double low_, high_;
};

}  // namespace compare
