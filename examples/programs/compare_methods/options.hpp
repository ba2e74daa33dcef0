// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "../support/command_line.hpp"
#include "plan.hpp"
#include "policy.hpp"

namespace compare {

struct Options {
  Plan plan;
  std::vector<std::string> policies;        ///< names; none: all
  double teacher_minutes = 0, minutes = 0;  ///< what steps are computed from, unless the plan has them
  std::filesystem::path out = "comparison";
  unsigned threads = 0;  ///< 0: one per core
  bool resume = false, quiet = false;
  std::string program = "compare_methods";  ///< as it was called
};

/// Default numbers of steps: minutes for points on one core, half an hour or more for images of 14 × 14 on
/// two.
inline void add_budget(Options& o, CLI::App const& app, Index teacher_steps, Index steps) {
  auto const pictures = o.plan.pictures();
  if (app.count("--teacher-minutes") == 0)
    o.plan.teacher_steps = teacher_steps > 0 ? teacher_steps : pictures ? 3000 : 6000;
  if (app.count("--minutes") == 0) o.plan.steps = steps > 0 ? steps : pictures ? 1000 : 4000;
}

inline std::optional<int> parse_options(Options& o, int argc, char** argv) {
  CLI::App app{
      "Trains one teacher and many students on the same data, and draws how good their one-step samples "
      "become.",
      "compare_methods"};
  std::string data = "mixture", images, perceptual;
  std::vector<std::string> names;
  Index teacher_steps = 0, steps = 0, size = 14;
  std::uint64_t seed = 0;
  for (auto const& policy : all_policies(true)) names.push_back(policy.name);
  auto const some_steps = CLI::Range(Index{1}, Index{1} << 31);
  app.add_option("--data", data, "What to learn")
      ->check(CLI::IsMember({"mixture", "checkerboard", "rings", "fashion-mnist"}))
      ->capture_default_str();
  app.add_option("--policies", o.policies, "Students to train (default: all)")
      ->check(CLI::IsMember(names))
      ->delimiter(',');
  app.add_option("--steps", steps, "Training steps of each student")->check(some_steps);
  app.add_option("--minutes", o.minutes,
                 "Instead of --steps: as many as consistency training takes in this time")
      ->check(CLI::Range(0.01, 1e5));
  app.add_option("--teacher-steps", teacher_steps, "Training steps of the teacher")->check(some_steps);
  app.add_option("--teacher-minutes", o.teacher_minutes, "Instead of --teacher-steps")
      ->check(CLI::Range(0.01, 1e5));
  app.add_option("--size", size, "Side of the images; 14 is four times cheaper")
      ->check(CLI::IsMember({28, 14}))
      ->capture_default_str();
  app.add_option("--images", images, "IDX file of images (default: Debian's dataset-fashion-mnist)");
  app.add_option("--perceptual", perceptual,
                 "safetensors file of a CIFAR-10 ResNet-20: students with LPIPS over its features too, for "
                 "images");
  app.add_option("--out", o.out, "Folder for everything the program writes")->capture_default_str();
  app.add_option("--seed", seed, "Seed of all random numbers")->capture_default_str();
  app.add_option("--threads", o.threads, "Threads (default: one per core); changes no bit of the result")
      ->check(CLI::Range(1U, 4096U));
  app.add_flag("--quiet", o.quiet, "No progress");
  app.add_flag("--resume", o.resume, "Go on with the comparison in --out; --policies may add to it");
  app.final_callback([&] {
    for (auto const* const name : {"--data", "--images", "--size", "--seed", "--steps", "--minutes",
                                   "--perceptual", "--teacher-steps", "--teacher-minutes"})
      if (o.resume && app.count(name) > 0)
        throw CLI::ValidationError{name, "has no place beside --resume: a comparison keeps its plan"};
    if (app.count("--perceptual") > 0 && data != "fashion-mnist")
      throw CLI::ValidationError{"--perceptual", "compares images: it needs --data fashion-mnist"};
    if (app.count("--minutes") > 0 && app.count("--steps") > 0)
      throw CLI::ValidationError{"--steps", "has no place beside --minutes"};
    if (app.count("--teacher-minutes") > 0 && app.count("--teacher-steps") > 0)
      throw CLI::ValidationError{"--teacher-steps", "has no place beside --teacher-minutes"};
  });
  if (auto const status = example::parse(app, argc, argv)) return status;

  if (argc > 0) o.program = argv[0];
  o.plan = Plan::for_data(data);
  o.plan.size = size;
  o.plan.seed = seed;
  if (!images.empty()) o.plan.images = example::absolute_path(images);
  add_budget(o, app, teacher_steps, steps);
  if (!perceptual.empty()) o.plan.perceptual = example::absolute_path(perceptual);
  return std::nullopt;
}

}  // namespace compare
