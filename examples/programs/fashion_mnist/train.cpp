// SPDX-License-Identifier: MIT
// Trains a consistency model from nothing on Fashion-MNIST, or on a checkerboard of points, in minutes on a
// CPU or a GPU. Options: fashion_mnist_train --help

#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include "run.hpp"

namespace {

using namespace fashion;

template <class Subject, class X>
int train(Options const& options, Folder const& folder, std::optional<CheckpointFile> const& saved) {
  auto run = Run<Subject, X>{options, folder, saved};
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
    std::printf("Stopped and saved. To go on: %s --resume --out '%s'%s\n", options.program.c_str(),
                options.out.c_str(), options.device == "cpu" ? "" : " --device cuda");
    return 130;
  }
  run.finish();
  return 0;
}

template <class X>
int run(Options& options) {
  if (options.threads > 0) set_threads(options.threads);
  auto const folder = Folder{options.out};
  std::optional<CheckpointFile> saved;
  if (options.resume) {
    saved = folder.newest();
    options.recipe = as_built(to_recipe(saved->settings(), folder.checkpoint().string()));
  } else {
    folder.check_free(options.overwrite);
  }
  if (options.recipe.points()) return train<Points, X>(options, folder, saved);
  if (options.recipe.classes > 0) return train<PicturesOfClasses, X>(options, folder, saved);
  return train<Pictures, X>(options, folder, saved);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    if (auto const status = parse_options(options, argc, argv)) return *status;
    watch_interrupts();
    return on_device(options.device, [&]<class X>() { return run<X>(options); });
  } catch (std::exception const& failure) {
    std::fprintf(stderr, "fashion_mnist_train: %s\n", failure.what());
    return 1;
  }
}
