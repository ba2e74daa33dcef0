// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>

#include <consistency/io/file_descriptor.hpp>

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

/// The path from the root, for files that say where others are. Throws io_error where this folder is gone.
inline std::string absolute_path(std::string const& path) {
  std::error_code failure;
  auto const absolute = std::filesystem::absolute(path, failure);
  if (failure)
    consistency::detail::fail_io(path, "no absolute path", failure.value(), "Start in another folder.");
  return absolute.string();
}

}  // namespace example
