// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <consistency/training/trainer.hpp>

#include "text.hpp"

namespace example {

/// How far a run is: on a terminal one line that is redrawn in place, else a line of text now and then.
class Progress {
 public:
  Progress(Index step, Index steps, Index batch, bool quiet)
      : first_{step}, steps_{steps}, batch_{batch}, quiet_{quiet}, terminal_{::isatty(STDOUT_FILENO) == 1} {
    drawn_ = terminal_ ? -1 : 0;
    std::setlocale(LC_CTYPE, "");
    unicode_ = std::string_view{::nl_langinfo(CODESET)} == "UTF-8";
  }
  Progress(Progress const&) = delete;
  Progress& operator=(Progress const&) = delete;
  ~Progress() { clear(); }

  void update(consistency::StepReport const& report) {
    smooth(report.loss);
    last_ = report;
    auto const interval = terminal_ ? 0.1 : 10.0;
    auto const now = watch_.seconds();
    if (quiet_ || (now - drawn_ < interval && report.step < steps_)) return;
    drawn_ = now;
    if (terminal_) {
      redraw();
    } else {
      std::printf("%s\n", text(0).c_str());
      std::fflush(stdout);
    }
  }

  /// There are so many steps now.
  void plan(Index steps) { steps_ = steps; }

  /// Takes the redrawn line away.
  void clear() {
    if (std::exchange(on_screen_, false)) std::printf("\r\033[K");
    std::fflush(stdout);
  }

  double smoothed_loss() const { return weight_ > 0 ? loss_ / weight_ : 0; }

 private:
  void smooth(double loss) {
    constexpr auto rate = 0.98;
    loss_ = rate * loss_ + (1 - rate) * loss;
    weight_ = rate * weight_ + (1 - rate);
  }

  // All fields, fewer of them where the line would not fit `columns` (0: no limit).
  std::string text(std::size_t columns) const {
    auto const elapsed = watch_.seconds();
    auto const done = static_cast<double>(last_.step - first_);
    auto const left = done > 0 ? elapsed / done * static_cast<double>(steps_ - last_.step) : 0;
    auto line = format("%3.0f%%", 100 * static_cast<double>(last_.step) / static_cast<double>(steps_));
    for (auto const& field :
         {format("  step %lld/%lld", static_cast<long long>(last_.step), static_cast<long long>(steps_)),
          "  left " + clock_text(left), format("  loss %.4g", smoothed_loss()),
          last_.resolution > 0 ? format("  N %.0f", last_.resolution) : std::string{},
          format("  %.0f/s", done / elapsed * static_cast<double>(batch_)),
          "  elapsed " + clock_text(elapsed)})
      if (columns == 0 || line.size() + field.size() < columns) line += field;
    return line;
  }

  void redraw() {
    struct ::winsize window {};
    auto const known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
    auto const columns = known ? std::size_t{window.ws_col} : std::size_t{80};
    auto line = text(columns);
    auto const room = columns > line.size() + 2 ? columns - line.size() - 2 : 0;
    auto const bar = room >= 8 ? draw_bar(std::min<std::size_t>(room, 30)) + " " : std::string{};
    std::printf("\r%s%s\033[K", bar.c_str(), line.c_str());
    std::fflush(stdout);
    on_screen_ = true;
  }

  std::string draw_bar(std::size_t cells) const {
    auto const full = static_cast<std::size_t>(static_cast<double>(cells) * static_cast<double>(last_.step) /
                                               static_cast<double>(steps_));
    std::string bar;
    for (std::size_t i = 0; i < cells; ++i) bar += i < full ? (unicode_ ? "█" : "#") : (unicode_ ? "░" : ".");
    return bar;
  }

  Index first_, steps_, batch_;
  bool quiet_, terminal_, unicode_ = false, on_screen_ = false;
  Stopwatch watch_;
  consistency::StepReport last_;
  double drawn_, loss_ = 0, weight_ = 0;
};

}  // namespace example
