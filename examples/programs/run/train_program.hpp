// SPDX-License-Identifier: MIT
#pragma once

// The main function of the programs that train.

#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include "run.hpp"

namespace run {

/// Trains, or goes on, or says what it would cost: the exit status.
template <class Subject, template <class, class> class Learns, class X>
int train(Options const& options, Folder const& folder, std::optional<CheckpointFile> const& saved,
          Processes const& processes) {
  auto run = Run<Subject, Learns, X>{options, folder, saved, processes};
  if (options.dry_run) return run.show_cost(), 0;
  if (interrupted()) {
    std::printf("Stopped before the first step.\n");
    return 130;
  }
  try {
    run.train();
  } catch (numeric_error const& failure) {
    auto report = failure.report();
    report.advice += " The last checkpoint in " + options.out.string() + " was kept.";
    throw numeric_error{report};
  }
  if (!run.complete()) {
    if (processes.rank() == 0)
      std::printf("Stopped and saved. To go on: %s --resume --out '%s'%s\n", options.called.c_str(),
                  options.out.c_str(), options.device == "cpu" ? "" : " --device cuda");
    return 130;
  }
  run.finish();
  return 0;
}

/// choose(subject and learning of the recipe): a program's own choice among what it is built for, as a call
/// of work.operator()<Subject, Learns>().
template <class Choose>
int train_program(Program const& program, Choose const& choose, int argc, char** argv) try {
  ProcessEnvironment const environment;
  Options options{.out = "demo"};
  if (auto const status = parse_options(options, program, argc, argv)) return *status;
  watch_interrupts();
  return on_device(options.device, [&]<class X>() {
    if (options.threads > 0) set_threads(options.threads);
    auto const processes = Processes{environment};
    auto const folder = Folder{options.out, processes.rank() == 0 && !options.dry_run};
    std::optional<CheckpointFile> saved;
    if (options.resume) {
      saved = folder.newest();
      options.recipe = as_built(to_recipe(saved->settings(), folder.checkpoint().string()));
    } else {
      if (program.teacher) take_network_of_teacher(options.recipe);
      if (processes.rank() == 0 && !options.dry_run) folder.check_free(options.overwrite);
    }
    return choose(options.recipe, [&]<class Subject, template <class, class> class Learns>() {
      return train<Subject, Learns, X>(options, folder, saved, processes);
    });
  });
} catch (std::exception const& failure) {
  return failed(program.name, argc, argv, failure);
}

}  // namespace run
