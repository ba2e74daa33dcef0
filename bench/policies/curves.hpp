// SPDX-License-Identifier: MIT
#pragma once

// Learning curves as inline SVG.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <consistency/core/shape.hpp>

#include "../../examples/programs/support/html.hpp"
#include "../../examples/programs/support/text.hpp"
#include "style.hpp"

namespace policies {

using example::escaped;

using consistency::Index;

struct CurveLine {
  std::string label;
  double last;  ///< the number at the end, NaN where there is none
  std::vector<Index> at;
  std::vector<double> values;
};

/// Steps across, energy distance up on a logarithmic axis. The best five have colours, the others are grey.
class Curves {
 public:
  explicit Curves(std::vector<CurveLine> lines) : lines_{std::move(lines)} {
    auto const rank = [](CurveLine const& line) {
      return std::tuple<double, std::string const&>{std::isnan(line.last) ? 1e99 : line.last, line.label};
    };
    std::sort(lines_.begin(), lines_.end(),
              [&](CurveLine const& a, CurveLine const& b) { return rank(a) < rank(b); });
    for (auto const& line : lines_)
      for (std::size_t i = 0; i < line.at.size(); ++i) {
        steps_ = std::max(steps_, static_cast<double>(line.at[i]));
        if (!(line.values[i] > 0)) continue;
        low_ = std::min(low_, line.values[i]);
        high_ = std::max(high_, line.values[i]);
      }
  }

  std::string html() const {
    if (!(high_ > low_)) return {};
    auto svg = example::format("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"Learning curves\">\n",
                               width, height) +
               grid();
    for (auto i = lines_.size(); i-- > 0;) svg += path(lines_[i], i);
    auto text =
        "<figure><figcaption>Samples by one evaluation over the training of equal steps; seed 0. Up: "
        "energy distance, logarithmic.</figcaption>"
        "<div class=\"chart\">" +
        svg + "</svg><ul class=\"legend\">";
    for (std::size_t i = 0; i < std::min(lines_.size(), colors.size()); ++i)
      text += "<li><i style=\"background:" + std::string{colors[i]} + "\"></i>" + escaped(lines_[i].label) +
              "</li>";
    return text + "</ul></div></figure>\n";
  }

 private:
  static constexpr double width = 400, height = 230, left = 48, right = 10, top = 10, bottom = 26;
  static constexpr auto colors = std::array{"#2f6fde", "#d9822b", "#1f9d6b", "#b04fc4", "#d1495b"};

  double x(double step) const { return left + (width - left - right) * step / steps_; }
  double y(double value) const {
    return top + (height - top - bottom) * std::log(high_ / std::max(value, low_)) / std::log(high_ / low_);
  }
  static std::string label(double at_x, double at_y, char const* anchor, std::string const& text) {
    return example::format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", at_x, at_y, anchor,
                           text.c_str());
  }

  std::string grid() const {
    std::string svg;
    auto const fine = high_ / low_ < 100;
    for (auto power = std::floor(std::log10(low_)); power <= std::log10(high_); ++power)
      for (auto const digit : {1.0, 2.0, 5.0}) {
        auto const value = digit * std::pow(10.0, power);
        if (value < low_ || value > high_ || (digit != 1 && !fine)) continue;
        svg +=
            example::format("<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>\n", left, y(value), width - right);
        svg += label(left - 6, y(value) + 4, "end", example::format("%.3g", value));
      }
    for (auto const share : {0.25, 0.5, 0.75, 1.0})
      svg += label(x(share * steps_), height - 8, share == 1 ? "end" : "middle",
                   example::grouped(static_cast<Index>(share * steps_)));
    return svg;
  }
  std::string path(CurveLine const& line, std::size_t rank) const {
    std::string d;
    for (std::size_t i = 0; i < line.at.size(); ++i)
      d += example::format("%s%.1f %.1f", i == 0 ? "M" : "L", x(static_cast<double>(line.at[i])),
                           y(line.values[i]));
    auto const named = rank < colors.size();
    return example::format("<path class=\"%s\" stroke=\"%s\" d=\"", named ? "named" : "other",
                           named ? colors[rank] : "currentColor") +
           d + "\"><title>" + escaped(line.label) + "</title></path>\n";
  }

  std::vector<CurveLine> lines_;
  double steps_ = 1, low_ = 1e99, high_ = 0;
};

}  // namespace policies
