// SPDX-License-Identifier: MIT
// Song et al. 2023, Figure 3, in small: how good one-step samples become over training, for every policy.
// Options: compare_methods --help

#include <cstdio>
#include <exception>
#include <string>

#include "../support/folder_lock.hpp"
#include "comparison.hpp"
#include "figure.hpp"
#include "options.hpp"
#include "subject.hpp"
#include "table.hpp"

namespace {

using namespace compare;

template <class Subject>
int compare_on(Options const& options, Plan const& plan) {
  auto comparison = Comparison<Subject>{options, plan};
  auto const summary = comparison.run(chosen_policies(options.policies, !plan.perceptual.empty()));
  if (!summary) {
    std::string chosen;
    for (auto const& name : options.policies) chosen += (chosen.empty() ? " --policies " : ",") + name;
    std::printf("Stopped and saved. To go on: %s --resume --out '%s'%s\n", options.program.c_str(),
                options.out.c_str(), chosen.c_str());
    return 130;
  }
  write_file_atomically(options.out / "figure.svg", text_bytes(Figure{*summary}.svg()));
  write_file_atomically(options.out / "table.md", text_bytes(table(*summary)));
  write_file_atomically(options.out / "results.json", text_bytes(results_json(*summary)));
  std::printf("%s\n  figure   %s\n", table(*summary).c_str(), (options.out / "figure.svg").c_str());
  std::printf("  results  %s, %s\n", (options.out / "table.md").c_str(),
              (options.out / "results.json").c_str());
  return 0;
}

int run(Options const& options) {
  if (options.threads > 0) set_threads(options.threads);
  auto const lock = FolderLock{options.out};
  auto const file = options.out / "plan.json";
  if (!options.resume && consistency::detail::is_there(file.native()))
    fail<config_error>(options.out.string(), "a comparison is in this folder", "plan.json", "an empty folder",
                       "Go on with it (--resume) or choose another --out.");
  auto const plan = options.resume ? Plan::load(file) : options.plan;
  return plan.pictures() ? compare_on<Pictures>(options, plan) : compare_on<Points>(options, plan);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    if (auto const status = parse_options(options, argc, argv)) return *status;
    watch_interrupts();
    return run(options);
  } catch (std::exception const& failure) {
    std::fprintf(stderr, "compare_methods: %s\n", failure.what());
    return 1;
  }
}
