// SPDX-License-Identifier: MIT
#pragma once

// Solved episodes along the training of each policy, as an SVG file.

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <consistency/io/atomic_file.hpp>

#include "../support/html.hpp"
#include "../support/text.hpp"

namespace pushing {

using example::Index;

struct Curve {
  std::string name;
  std::vector<std::pair<Index, double>> points;  ///< step, and the share of the episodes that are solved
};

/// Step across, share up; each curve ends at its name.
class Curves {
 public:
  Curves(std::vector<Curve> curves, Index steps) : curves_{std::move(curves)}, steps_{steps} {}

  std::string svg() const {
    auto text = example::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" font-family=\"sans-serif\" "
        "font-size=\"12\" role=\"img\" aria-label=\"Solved episodes over training steps\">\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
        width, height);
    for (auto const share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      text += example::format("<path d=\"M%g %.1fH%g\" stroke=\"#ddd\"/>\n", left, y(share), width - right);
      text += label(left - 6, y(share) + 4, "end", "#666", example::format("%.0f %%", 100 * share));
      text += label(x(share * static_cast<double>(steps_)), height - 8, "middle", "#666",
                    example::grouped(static_cast<Index>(share * static_cast<double>(steps_))));
    }
    auto const at = names_at();
    for (std::size_t i = 0; i < curves_.size(); ++i) {
      auto const* const color = colors[i % colors.size()];
      text += "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" + std::string{color} + "\" points=\"";
      for (auto const& [step, share] : curves_[i].points)
        text += example::format("%.1f,%.1f ", x(static_cast<double>(step)), y(share));
      text += "\"/>\n" + label(width - right + 6, at[i] + 4, "start", color, curves_[i].name);
    }
    return text + "</svg>\n";
  }

  void write(std::filesystem::path const& path) const {
    consistency::write_file_atomically(path, consistency::text_bytes(svg()));
  }

 private:
  static constexpr double width = 720, height = 300, left = 52, right = 190, top = 16, bottom = 30;
  static constexpr auto colors = std::array{"#2f6fde", "#d9822b", "#1f9d6b", "#b04fc4", "#d1495b", "#666666"};

  double x(double step) const {
    return left + (width - left - right) * step / static_cast<double>(std::max<Index>(1, steps_));
  }
  static double y(double share) { return height - bottom - (height - top - bottom) * share; }

  /// Heights of the names: where the curves end, but apart.
  std::vector<double> names_at() const {
    std::vector<double> at;
    std::vector<std::size_t> order;
    for (auto const& curve : curves_) {
      order.push_back(at.size());
      at.push_back(curve.points.empty() ? y(0) : y(curve.points.back().second));
    }
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return at[a] < at[b]; });
    for (std::size_t i = 1; i < order.size(); ++i)
      at[order[i]] = std::max(at[order[i]], at[order[i - 1]] + 15);
    return at;
  }
  static std::string label(double at_x, double at_y, char const* anchor, char const* color,
                           std::string const& text) {
    return example::format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">%s</text>\n", at_x,
                           at_y, anchor, color, example::escaped(text).c_str());
  }

  std::vector<Curve> curves_;
  Index steps_;
};

}  // namespace pushing
