// SPDX-License-Identifier: MIT
#pragma once

// --trace: what a program's operations do, for people to read.

#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

#include <consistency/consistency.hpp>
#include <consistency/inspect.hpp>

namespace example {

inline void add_trace_option(CLI::App& app, std::string& trace) {
  app.add_option(
         "--trace", trace,
         "profile: a table of the time per operation; layers: per operation of each layer; operations: a "
         "line for each; finite: stop at the first number that is not finite")
      ->check(CLI::IsMember({"profile", "layers", "operations", "finite"}));
}

/// work(), traced as --trace says, or not at all where it is empty; the layers of `theta` are named.
auto traced(std::string const& trace, auto const& theta, auto const& work) {
  using namespace consistency;
  if (trace.empty()) return work();
  auto const names = layer_names(theta);
  if (trace == "finite") {
    TraceScope const scope{StopAtNonFinite{}, names};
    return work();
  }
  if (trace == "operations") {
    TraceScope const scope{[](TraceEvent const& event) { std::puts(event.text().c_str()); }, names};
    return work();
  }
  Profile profile{{.layers = trace == "layers"}};
  auto result = [&] {
    TraceScope const scope{profile, names};
    return work();
  }();
  std::fputs(profile.text().c_str(), stdout);
  return result;
}

}  // namespace example
