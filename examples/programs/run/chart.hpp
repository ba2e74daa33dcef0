// SPDX-License-Identifier: MIT
#pragma once

// The loss curve as inline SVG.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "../support/text.hpp"
#include "history.hpp"
#include "learning.hpp"

namespace run {

/// Step across, loss up on a logarithmic axis; dashed lines where the stages begin.
class LossChart {
 public:
  /// `stages` of a run of K steps.
  LossChart(History const& history, std::vector<Stage> stages, Index K)
      : history_{history}, stages_{std::move(stages)}, K_{std::max<Index>(1, K)} {
    low_ = high_ = 1;
    auto first = true;
    for (auto const loss : history.losses) {
      if (!shown(loss)) continue;
      low_ = first ? loss : std::min(low_, loss);
      high_ = first ? loss : std::max(high_, loss);
      first = false;
    }
    low_ /= 1.1;
    high_ *= 1.1;
  }

  std::string svg() const {
    return format("<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"Loss over training steps\">\n", width,
                  height) +
           grid() + stages() + curve() + "</svg>\n";
  }

 private:
  static constexpr double width = 800, height = 340, left = 56, right = 14, top = 30, bottom = 34;

  /// What a logarithmic axis has room for: its marks, powers of ten, are few.
  static bool shown(double loss) { return loss > 1e-30 && loss < 1e30; }

  double x(double step) const { return left + (width - left - right) * step / static_cast<double>(K_); }
  double y(double loss) const {
    return top + (height - top - bottom) * std::log(high_ / loss) / std::log(high_ / low_);
  }

  static std::string label(double at_x, double at_y, char const* anchor, std::string const& text) {
    return format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", at_x, at_y, anchor,
                  text.c_str());
  }

  /// The largest of 1, 2, 5, 10, … times a power of ten that is at most `rough`.
  static double round_step(double rough) {
    auto const unit = std::pow(10.0, std::floor(std::log10(rough)));
    return unit * (rough / unit >= 5 ? 5 : rough / unit >= 2 ? 2 : 1);
  }

  /// 1, 2 and 5 times the powers of ten, or round steps where these would be few.
  std::vector<double> loss_marks() const {
    std::vector<double> marks;
    auto const spread = high_ / low_;
    for (auto power = std::floor(std::log10(low_)); power <= std::log10(high_); ++power)
      for (auto const digit : {1.0, 2.0, 5.0})
        if (digit == 1 || spread < 300) marks.push_back(digit * std::pow(10.0, power));
    if (spread < 5) {
      marks.clear();
      auto const spacing = round_step((high_ - low_) / 3);
      for (auto i = std::ceil(low_ / spacing); i * spacing <= high_; ++i) marks.push_back(i * spacing);
    }
    std::erase_if(marks, [&](double loss) { return loss < low_ || loss > high_; });
    return marks;
  }

  std::string grid() const {
    std::string svg;
    for (auto const loss : loss_marks()) {
      svg += format("<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>\n", left, y(loss), width - right);
      svg += label(left - 8, y(loss) + 4, "end", format("%.3g", loss));
    }
    auto const steps = static_cast<double>(K_), spacing = std::max(1.0, round_step(steps / 4));
    for (auto step = 0.0; step <= steps; step += spacing)
      svg += label(x(step), height - bottom + 20, "middle", grouped(static_cast<Index>(step)));
    return svg;
  }

  std::string stages() const {
    std::string svg;
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      auto const begin = static_cast<double>(stages_[i].begin);
      auto const end = static_cast<double>(i + 1 < stages_.size() ? stages_[i + 1].begin : K_);
      if (i > 0)
        svg += format("<path class=\"stage\" d=\"M%.1f %.1fV%.1f\"/>\n", x(begin), top - 16, height - bottom);
      svg += label((x(begin) + x(end)) / 2, top - 6, "middle", stages_[i].label);
    }
    return svg;
  }

  // The losses faintly, and over them their running mean, which begins anew at every stage.
  std::string curve() const {
    constexpr auto memory = 0.93;
    std::string raw, smooth;
    double sum = 0, weight = 0;
    std::size_t stage = 0;  // stages that have begun
    for (std::size_t i = 0; i < history_.losses.size(); ++i) {
      auto const loss = history_.losses[i];
      if (!shown(loss)) continue;
      auto const before = stage;
      while (stage < stages_.size() && stages_[stage].begin < history_.steps[i]) ++stage;
      auto const begins = stage != before;
      sum = (begins ? 0 : memory * sum) + (1 - memory) * loss;
      weight = (begins ? 0 : memory * weight) + (1 - memory);
      auto const at = x(static_cast<double>(history_.steps[i]));
      raw += format("%.1f,%.1f ", at, y(loss));
      smooth += format("%s%.1f %.1f ", begins ? "M" : "L", at, y(sum / weight));
    }
    return "<polyline class=\"raw\" points=\"" + raw + "\"/>\n<path class=\"curve\" d=\"" + smooth + "\"/>\n";
  }

  History const& history_;
  std::vector<Stage> stages_;
  Index K_;
  double low_, high_;
};

}  // namespace run
