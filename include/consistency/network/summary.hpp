// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <consistency/network/parameter_table.hpp>

namespace consistency {

/// The layer of a parameter: its name up to the last point, or all of it where there is none.
inline std::string_view layer_of(std::string_view parameter) {
  return parameter.substr(0, parameter.rfind('.'));
}

/// A network's layers in the order of their parameters, a line each: name, how many numbers, and the shape of
/// each parameter; then the total, and its memory in float32.
inline std::string summary(ParameterTable const& table) {
  struct Line {
    std::string layer, shapes;
    Index count = 0;
  };
  std::vector<Line> lines = {{"layer", "shapes"}};
  for (auto const& entry : table.entries()) {
    auto const& name = entry.name;
    auto const layer = layer_of(name);
    if (lines.size() == 1 || lines.back().layer != layer) lines.push_back({std::string{layer}, ""});
    auto& line = lines.back();
    auto const own = layer.size() < name.size() ? name.substr(layer.size() + 1) + " " : "";
    line.shapes += (line.shapes.empty() ? "" : ", ") + own + entry.shape.text();
    line.count += entry.shape.count();
  }
  auto const mib = 4 * static_cast<double>(table.count()) / (1 << 20);
  lines.push_back(
      {"total",
       number_text(table.entries().size()) + " parameters, " + fixed_text(mib, 1) + " MiB in float32",
       table.count()});
  std::size_t widest = 0;
  for (auto const& line : lines) widest = std::max(widest, line.layer.size());
  std::string all;
  for (auto const& line : lines) {
    auto const count = &line == &lines.front() ? "numbers" : number_text(line.count);
    all += line.layer +
           std::string(widest - line.layer.size() + 12 - std::min<std::size_t>(11, count.size()), ' ') +
           count + "  " + line.shapes + "\n";
  }
  return all;
}

}  // namespace consistency
