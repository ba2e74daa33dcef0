// SPDX-License-Identifier: MIT
#pragma once

// report.html: one file with everything in it.

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <consistency/io/file.hpp>
#include <consistency/io/png.hpp>
#include <consistency/tensor/cpu/instruction_set.hpp>

#include "../support/compiler.hpp"
#include "../support/html.hpp"
#include "../support/text.hpp"
#include "chart.hpp"
#include "history.hpp"
#include "recipe.hpp"

namespace run {

struct Results {
  /// A sheet of samples.
  struct Drawn {
    Index evaluations;  ///< of the network per sample
    std::filesystem::path file;
    double seconds;  ///< per sample
  };

  std::string noun;
  Recipe const& recipe;
  std::vector<Stage> stages;
  std::string device;  ///< what computed
  History const& history;
  Index parameters = 0;
  Image original;  ///< of the data set, drawn like the samples
  std::vector<Drawn> drawn{};
  std::filesystem::path animation{};

  double per_second() const {
    return static_cast<double>(recipe.steps * recipe.batch) / std::max(1e-9, history.seconds);
  }
};

inline std::string base64(ByteView bytes) {
  constexpr auto digits =
      std::string_view{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto group = 0U;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8U | (i + j < bytes.size() ? std::to_integer<unsigned>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      text += i + j > bytes.size() ? '=' : digits[group >> (18 - 6 * j) & 63U];
  }
  return text;
}

class Report {
 public:
  explicit Report(Results const& results) : r_{results} {}

  std::string html() const {
    return head() + "<main>\n" + title() + facts() + pictures() + loss() + settings() + foot() +
           "</main>\n</html>\n";
  }

 private:
  static std::string head() {
    return R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>consistency: training report</title>
<style>
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --paper: #fbfbfa; --card: #fff; --line: #e4e4e0;
  --accent: #2458c5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ee; --soft: #9aa3b2; --paper: #14161a; --card: #1c1f25;
  --line: #31363f; --accent: #7da7ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.15rem; margin: 2.6rem 0 .8rem; }
p { margin: 0 0 1rem; } .soft { color: var(--soft); } .note { margin-top: .7rem; font-size: .9rem; }
footer { margin-top: 2.6rem; font-size: .9rem; color: var(--soft); } details { margin-top: 1rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.6rem 0; }
.facts div, figure, .chart { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
.facts div { padding: .7rem .9rem; }
.facts b { display: block; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts span { color: var(--soft); font-size: .85rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem; }
figure { margin: 0; padding: .8rem; }
figure img { display: block; width: 100%; border-radius: .3rem; }
figcaption { margin-top: .6rem; font-size: .9rem; color: var(--soft); }
.chart { padding: .6rem; overflow-x: auto; } .chart svg { display: block; width: 100%; min-width: 34rem; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
svg .grid { stroke: var(--line); } svg .stage { stroke: var(--soft); stroke-dasharray: 3 4; }
svg .raw, svg .curve { fill: none; stroke: var(--accent); stroke-linejoin: round; }
svg .raw { opacity: .3; } svg .curve { stroke-width: 2; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td { padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; vertical-align: top; }
td:first-child { color: var(--soft); white-space: nowrap; width: 12rem; }
summary { cursor: pointer; font-weight: 600; }
</style>
)";
  }

  std::string title() const {
    auto const items = grouped(r_.recipe.steps * r_.recipe.batch) + " " + r_.noun;
    auto const& r = r_.recipe;
    auto const subject = r.points()                  ? std::string{"A checkerboard"}
                         : r.data == "fashion-mnist" ? "Fashion"
                         : r.data == "cifar-10"      ? "CIFAR-10"
                                                     : "Pictures";
    auto const denoiser = r.method == "denoising";
    return "<h1>" + subject + (denoiser ? ", a teacher" : ", drawn in one step") +
           "</h1>\n<p class=\"soft\">A " + (denoiser ? "denoiser" : "consistency model") + " with " +
           grouped(r_.parameters) + " parameters, " +
           (r.method == "distillation" ? "distilled from a denoiser" : "trained from nothing") + " on " +
           items + " in " + clock_text(r_.history.seconds) + ".</p>\n";
  }

  static std::string fact(std::string const& value, std::string const& meaning) {
    return "<div><b>" + value + "</b><span>" + meaning + "</span></div>\n";
  }

  std::string facts() const {
    auto const per_step = r_.history.seconds / static_cast<double>(std::max<Index>(1, r_.recipe.steps));
    auto html = "<div class=\"facts\">\n" + fact(clock_text(r_.history.seconds), "training time") +
                fact(grouped(r_.recipe.steps), "training steps") +
                fact(grouped(std::llround(r_.per_second())), r_.noun + " per second") +
                fact(duration_text(per_step), "per training step");
    for (auto const& drawn : r_.drawn)
      html += fact(duration_text(drawn.seconds), "per sample, " + evaluations(drawn.evaluations));
    return html + "</div>\n";
  }

  static std::string evaluations(Index count) {
    return (count == 1   ? "one"
            : count == 2 ? "two"
                         : to_text(count)) +
           std::string{count == 1 ? " evaluation" : " evaluations"};
  }

  static std::string picture(ByteView png, std::string const& caption) {
    return "<figure><img alt=\"" + caption + "\" src=\"data:image/png;base64," + base64(png) +
           "\"><figcaption>" + caption + "</figcaption></figure>\n";
  }

  std::string pictures() const {
    std::string html = "<h2>Samples</h2>\n<div class=\"pictures\">\n";
    for (auto const& drawn : r_.drawn)
      html += picture(read_file(drawn.file), "Samples by " + evaluations(drawn.evaluations) +
                                                 " of the network, from the same noise");
    if (!r_.history.frames.empty())
      html += picture(read_file(r_.animation), "The same noise, through the whole training");
    return html + picture(encode_png(r_.original), "The data set, for comparison") + "</div>\n";
  }

  std::string loss() const {
    return "<h2>Loss</h2>\n<div class=\"chart\">" + LossChart{r_.history, r_.stages, r_.recipe.steps}.svg() +
           "</div>\n<p class=\"soft note\">Training steps across, loss up, on a logarithmic axis." +
           (r_.stages.size() < 2
                ? ""
                : " At each dashed line the gap between the two times of a pair shrinks, so losses "
                  "of different stages cannot be compared.") +
           "</p>\n";
  }

  std::string settings() const {
    std::string rows;
    for_each_field(r_.recipe, [&](char const* name, auto const& field) {
      if (auto const text = to_text(field); !text.empty())
        rows += "<tr><td>" + std::string{name} + "</td><td>" + escaped(text) + "</td></tr>\n";
    });
    return "<h2>Run</h2>\n<table>\n" + machine() +
           "</table>\n<details><summary>All settings</summary>\n<table>\n" + rows + "</table></details>\n";
  }

  std::string machine() const {
    auto const row = [](std::string const& name, std::string const& value) {
      return "<tr><td>" + name + "</td><td>" + escaped(value) + "</td></tr>\n";
    };
    return row("library", "consistency " + std::string{version}) + row("seed", to_text(r_.recipe.seed)) +
           row("steps K", to_text(r_.recipe.steps)) + row("batch", to_text(r_.recipe.batch)) +
           row("device", r_.device) +
           row("threads", std::to_string(threads()) + " of " +
                              std::to_string(std::thread::hardware_concurrency()) + " in hardware") +
           row("processor", processor()) + row("instructions", std::string{cpu::instruction_set()}) +
           row("compiler", compiler());
  }

  static std::string processor() {
    auto file = std::ifstream{"/proc/cpuinfo"};
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(':') + 2));
    return "unknown";
  }

  static std::string foot() {
    return "<footer>Song, Dhariwal, Chen, Sutskever: Consistency Models, 2023. Schedule of the gaps: Geng et "
           "al., "
           "2024.</footer>\n";
  }

  Results const& r_;
};

inline void write_report(std::filesystem::path const& path, Results const& results) {
  write_file_atomically(path, text_bytes(Report{results}.html()));
}

}  // namespace run
