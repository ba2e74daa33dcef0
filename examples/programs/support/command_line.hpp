// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include <consistency/io/file_descriptor.hpp>

namespace example {

/// The last part of argv[0]: "consistency train" where the program is that command of `consistency`.
inline std::string called_as(int argc, char** argv) {
  auto const path = std::string{argc > 0 ? argv[0] : ""};
  return path.substr(path.rfind('/') + 1);  // all of it where there is no '/'
}
inline bool is_command(int argc, char** argv) { return called_as(argc, argv).starts_with("consistency "); }

/// What messages call the program: the command that it is, else its own name.
inline std::string called(std::string const& name, int argc, char** argv) {
  return is_command(argc, argv) ? called_as(argc, argv) : name;
}

/// Runs the parser, whose --help shows examples, each the options of a call; the exit status where the
/// program is to end now: 0 after --help, 2 for arguments that do not fit.
inline std::optional<int> parse(CLI::App& app, std::vector<std::string> const& examples, int argc,
                                char** argv) {
  app.name(called(app.get_name(), argc, argv));
  auto footer = std::string{"Examples:\n"};
  for (auto const& options : examples)
    footer += "  " + app.get_name() + (options.empty() ? "" : " ") + options + "\n";
  app.footer(footer + "\nExit status: 0 done, 1 failed, 2 arguments that do not fit, 130 stopped by Ctrl-C.");
  try {
    app.parse(argc, argv);
  } catch (CLI::ParseError const& stop) {
    if (stop.get_exit_code() == 0) return app.exit(stop);
    std::fprintf(stderr, "%s\n%s: %s\n", app.help().c_str(), app.get_name().c_str(), stop.what());
    return 2;
  }
  return std::nullopt;
}

/// Says on the standard error why a program failed: its exit status, 1.
inline int failed(std::string const& name, int argc, char** argv, std::exception const& why) {
  std::fprintf(stderr, "%s: %s\n", called(name, argc, argv).c_str(), why.what());
  return 1;
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
