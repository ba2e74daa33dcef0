// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <consistency/core/memory.hpp>
#include <consistency/tensor/trace_event.hpp>

namespace consistency {

/// A sink for TraceScope: adds up what operations took.
class Profile {
 public:
  struct Row {
    std::string operation;  ///< TraceEvent::title(), and the layer where asked for
    Index calls = 0;
    double seconds = 0;
    std::size_t bytes = 0;  ///< of new results
    double flops = 0;       ///< of products and convolutions, as they are defined
  };
  struct Settings {
    bool layers = false;  ///< a row for each operation of each layer
  };

  Profile() = default;
  explicit Profile(Settings settings) : settings_{settings} {}

  void operator()(TraceEvent const& event) {
    auto& row = rows_[settings_.layers ? event.place() : event.title()];
    ++row.calls;
    row.seconds += event.seconds;
    row.bytes += event.new_bytes();
    row.flops += event.flops;
    if (!begun_ || event.start < last_) {  // another scope's time begins at 0 again
      before_ += last_ - first_;
      first_ = event.start;
      begun_ = true;
    }
    last_ = event.start + event.seconds;
  }

  /// The longest first.
  std::vector<Row> rows() const {
    std::vector<Row> all;
    for (auto const& [name, row] : rows_) {
      all.push_back(row);
      all.back().operation = name;
    }
    std::sort(all.begin(), all.end(), [](auto const& a, auto const& b) {
      return a.seconds != b.seconds ? a.seconds > b.seconds : a.operation < b.operation;
    });
    return all;
  }
  /// From the first operation's beginning to the last one's end, in each scope that it served, added up.
  double seconds() const noexcept { return before_ + last_ - first_; }

  /// A table of calls, time, share of the time from first to last, MiB of new results, and GFLOP/s of
  /// products; what lay between operations, and the memory pool's figures.
  std::string text() const {
    auto const table = rows();
    auto between = Row{.operation = "between operations", .seconds = seconds()};
    std::size_t widest = between.operation.size();
    for (auto const& row : table) {
      between.seconds -= row.seconds;
      widest = std::max(widest, row.operation.size());
    }
    auto all = left("operation", widest) + right("calls", 8) + right("ms", 12) + right("share", 8) +
               right("new MiB", 10) + right("GFLOP/s", 10) + "\n";
    for (auto const& row : table) all += line(row, widest);
    all += line(between, widest);
    auto const& pool = MemoryPool::instance();
    return all + "memory of the host: " + mib(pool.peak_bytes()) + " MiB in use at the most, " +
           mib(pool.reserved_bytes()) + " MiB held\n";
  }

 private:
  std::string line(Row const& row, std::size_t widest) const {
    auto const share = seconds() > 0 ? 100 * row.seconds / seconds() : 0;
    return left(row.operation, widest) + right(row.calls > 0 ? number_text(row.calls) : "", 8) +
           right(fixed_text(1e3 * row.seconds, 3), 12) + right(fixed_text(share, 1) + "%", 8) +
           right(row.calls > 0 ? mib(row.bytes) : "", 10) +
           right(row.flops > 0 ? fixed_text(1e-9 * row.flops / row.seconds, 1) : "", 10) + "\n";
  }
  static std::string mib(std::size_t bytes) {
    return fixed_text(static_cast<double>(bytes) / (std::size_t{1} << 20U), 1);
  }
  static std::string left(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
  }
  static std::string right(std::string const& text, std::size_t width) {
    return std::string(width - std::min(width - 1, text.size()), ' ') + text;
  }

  Settings settings_;
  std::map<std::string, Row> rows_;
  bool begun_ = false;
  double before_ = 0;            // seconds of earlier scopes
  double first_ = 0, last_ = 0;  // beginning and end in the present one
};

}  // namespace consistency
