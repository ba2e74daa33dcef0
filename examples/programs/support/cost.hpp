// SPDX-License-Identifier: MIT
#pragma once

// --dry-run: what a run of training would cost on this machine.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include <consistency/core/memory.hpp>
#include <consistency/tensor/profile.hpp>
#include <consistency/tensor/trace.hpp>

#include "resident_memory.hpp"
#include "text.hpp"

namespace example {

struct Cost {
  Index images = 0;             ///< of a step
  Index at_once = 0;            ///< whose gradient is computed at a time
  Index measured = 0;           ///< images of the step that was timed
  double evaluation_flops = 0;  ///< per image, of one evaluation of the network
  double step_flops = 0;        ///< per image, of a training step
  double seconds = 0;           ///< of a step
  double memory = 0;            ///< bytes that the process holds at most; too few where it is carried on
};

/// How a run is tried out.
struct Trial {
  std::function<void(Index)> step;      ///< one training step on so many images at once
  std::function<void(Index)> evaluate;  ///< one evaluation of the network on so many
  std::function<void(Index)> draw;      ///< what else takes memory: drawing so many samples at once
};

namespace detail {

/// Multiplications and additions of products and convolutions in work().
inline double flops_of(auto const& work) {
  double total = 0;
  consistency::TraceScope const scope{[&](consistency::TraceEvent const& event) { total += event.flops; }};
  work();
  return total;
}

/// Bytes that the pool holds after work(), having given back before what was unused.
inline double pool_bytes(auto const& work) {
  auto& pool = consistency::MemoryPool::instance();
  pool.trim();
  work();
  return static_cast<double>(pool.reserved_bytes());
}

}  // namespace detail

/// Measures for about ten seconds, longer where steps on 1 and 2 images take longer. Steps on 1, 2, 4, …
/// images come first; where one of all images would take longer than is left, time and memory are carried on
/// in a straight line from the last two.
inline Cost measured_cost(Trial const& trial, Index images, Index at_once) {
  constexpr auto enough = 10.0;  // seconds
  Cost cost{.images = images, .at_once = at_once};
  auto const whole = Stopwatch{};
  trial.step(1);
  cost.step_flops = detail::flops_of([&] { trial.step(1); });
  cost.evaluation_flops = detail::flops_of([&] { trial.evaluate(1); });
  struct Point {
    double images, seconds, bytes;
  };
  auto const timed = [&](Index n, double at_least) {
    auto const bytes = detail::pool_bytes([&] { trial.step(n); });
    auto const watch = Stopwatch{};
    Index steps = 0;
    do trial.step(n), ++steps;
    while (watch.seconds() < at_least);
    return Point{static_cast<double>(n), watch.seconds() / static_cast<double>(steps), bytes};
  };
  auto before = timed(1, 0), last = before;
  for (Index n = 2; n < at_once && (n == 2 || whole.seconds() + 6 * last.seconds < enough); n *= 2) {
    before = last;
    last = timed(n, 0);
  }
  auto const slope = [&](double Point::*of) {
    return last.images > before.images ? (last.*of - before.*of) / (last.images - before.images)
                                       : last.*of / last.images;
  };
  auto const all = static_cast<double>(at_once);
  auto carried = Point{all, last.seconds + (all - last.images) * slope(&Point::seconds),
                       last.bytes + (all - last.images) * slope(&Point::bytes)};
  if (whole.seconds() + 3 * carried.seconds < 2 * enough) carried = last = timed(at_once, enough / 2);
  cost.measured = static_cast<Index>(last.images);
  cost.seconds = carried.seconds * static_cast<double>(images) / all;
  auto const drawing = detail::pool_bytes([&] { trial.draw(cost.measured); });
  auto const others = static_cast<double>(resident_memory()) - drawing;
  cost.memory = std::max(static_cast<double>(peak_memory()), others + std::max(drawing, carried.bytes));
  return cost;
}

/// "8:05", "1:02:03" or "12 days".
inline std::string long_time_text(double seconds) {
  constexpr auto day = 86400.0;
  if (seconds < 2 * day) return clock_text(seconds);
  return seconds < 1000 * day ? format("%.0f days", seconds / day)
                              : format("%.1f years", seconds / (365.25 * day));
}

/// "410 MB" or "12.3 GB".
inline std::string bytes_text(double bytes) {
  return bytes < 1e9 ? format("%.0f MB", bytes / 1e6) : format("%.1f GB", bytes / 1e9);
}

/// "0.31 GFLOP" or "12.3 TFLOP".
inline std::string flops_text(double flops) {
  return flops < 1e12 ? format("%.3g GFLOP", flops / 1e9) : format("%.3g TFLOP", flops / 1e12);
}

/// A table for people: of K steps, `minutes` where K comes from a time, over a data set of `count` items (0:
/// without end).
inline void print(Cost const& cost, Index parameters, Index K, double minutes, Index count) {
  auto const steps = K > 0 ? static_cast<double>(K) : std::floor(60 * minutes / cost.seconds);
  auto const images = steps * static_cast<double>(cost.images);
  auto const row = [](char const* name, std::string const& text) {
    std::printf("%-12s %s\n", name, text.c_str());
  };
  row("parameters", grouped(parameters));
  row("evaluation", flops_text(cost.evaluation_flops) + " per image");
  row("step", flops_text(cost.step_flops) + " per image, " + grouped(cost.images) + " images" +
                  (cost.at_once < cost.images ? ", " + grouped(cost.at_once) + " at a time" : ""));
  auto const carried = cost.measured < cost.at_once;
  auto const carried_on = carried ? ", carried on from " + grouped(cost.measured) + " images" : "";
  row("memory", bytes_text(cost.memory) + (carried ? " or more" : " at most") + carried_on);
  row("time", duration_text(cost.seconds) + " a step here" + carried_on +
                  format(": %.0f GFLOP/s, %.3g images/s",
                         cost.step_flops * static_cast<double>(cost.images) / cost.seconds / 1e9,
                         static_cast<double>(cost.images) / cost.seconds));
  row("run", grouped(static_cast<Index>(steps)) + " steps in " +
                 long_time_text(K > 0 ? steps * cost.seconds : 60 * minutes) + ", " +
                 grouped(static_cast<Index>(images)) + " images" +
                 (count > 0 ? format(", each %.3g times", images / static_cast<double>(count)) : ""));
}

}  // namespace example
