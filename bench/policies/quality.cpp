// SPDX-License-Identifier: MIT
// Trains every combination of policies under equal budgets, and writes what became of each as a page.
// Options: policies_quality --help

#include "quality.hpp"

#include <cstdio>
#include <exception>
#include <optional>
#include <string>

#include "../../examples/programs/support/command_line.hpp"
#include "../../examples/programs/support/folder_lock.hpp"
#include "page.hpp"

namespace {

using namespace policies;

std::optional<int> parse_options(QualityOptions& o, bool& list, int argc, char** argv) {
  CLI::App app{"Trains every combination of policies twice, for equal steps and for equal processor time.",
               "policies_quality"};
  auto& plan = o.plan;
  app.add_option("--data", plan.data, "What to learn: points, or images made 7 x 7")
      ->check(CLI::IsMember({"mixture", "checkerboard", "fashion-mnist"}))
      ->capture_default_str();
  app.add_option("--images", o.images, "IDX file of images")->capture_default_str();
  app.add_option("--steps", plan.steps, "Equal steps")
      ->check(CLI::Range(Index{1}, Index{1} << 31))
      ->capture_default_str();
  app.add_option("--seconds", plan.seconds, "Equal seconds")
      ->check(CLI::Range(1e-3, 1e6))
      ->capture_default_str();
  app.add_option("--teacher-steps", plan.teacher_steps, "Training steps of the teacher")
      ->check(CLI::Range(Index{1}, Index{1} << 31))
      ->capture_default_str();
  app.add_option("--batch", plan.batch, "Samples of a step")
      ->check(CLI::Range(Index{1}, Index{4096}))
      ->capture_default_str();
  app.add_option("--width", plan.width, "Of the network's layers")
      ->check(CLI::Range(Index{1}, Index{4096}))
      ->capture_default_str();
  app.add_option("--seeds", o.seeds, "Trainings of each, with seeds 0, 1, …")
      ->check(CLI::Range(Index{1}, Index{1000}))
      ->capture_default_str();
  app.add_option("--filter", o.filter, "Regular expression that names must contain")->capture_default_str();
  app.add_option("--out", o.out, "Folder; trainings that are there are not repeated")->capture_default_str();
  app.add_flag("--quiet", o.quiet, "No progress");
  app.add_flag("--list", list, "Only the names");
  return example::parse(
      app, {"--out all", "--data mixture --filter '^solver' --steps 2000 --seconds 2 --seeds 3 --out few"},
      argc, argv);
}

int run(QualityOptions const& options) {
  auto const lock = example::FolderLock{options.out};
  auto quality = Quality{options};
  auto const finished = quality.run(registry());
  auto const page = options.out / "policies.html";
  write_file_atomically(page, text_bytes(Page{quality.results()}.html()));
  std::printf("%s%s\n", finished ? "" : "Stopped; the same command goes on. So far: ", page.c_str());
  return finished ? 0 : 130;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    QualityOptions options;
    auto list = false;
    if (auto const status = parse_options(options, list, argc, argv)) return *status;
    if (list) {
      for (auto const& combination : registry()) std::printf("%s\n", combination.name().c_str());
      return 0;
    }
    set_threads(1);  // seconds are those of one processor
    example::watch_interrupts();
    return run(options);
  } catch (std::exception const& failure) {
    std::fprintf(stderr, "policies_quality: %s\n", failure.what());
    return 1;
  }
}
