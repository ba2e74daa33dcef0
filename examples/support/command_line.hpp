#pragma once

#include <cstdio>
#include <optional>

#include <CLI/CLI.hpp>

namespace example {

/// Runs the parser; the exit status where the program is to end now: 0 after --help, 2 for arguments that do
/// not fit.
inline std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& stop) {
    if (stop.get_exit_code() == 0) return app.exit(stop);
    std::fprintf(stderr, "%s\n%s: %s\n", app.help().c_str(), app.get_name().c_str(), stop.what());
    return 2;
  }
  return std::nullopt;
}

}  // namespace example
