// SPDX-License-Identifier: MIT
// consistency COMMAND [OPTION]...: all programs under one name. The program of a command lies beside this
// one, or where it was installed; it takes this one's place, so that options, terminal, signals and exit
// status are its own.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>

#include <unistd.h>

#include <consistency/core/error.hpp>
#include <consistency/core/version.hpp>
#include <consistency/io/file_descriptor.hpp>

namespace {

using namespace consistency;

struct Command {
  char const *name, *program, *what;
};

constexpr std::array commands{
    Command{"train", "fashion_mnist_train", "a one-step model of garments, pictures or points, in minutes"},
    Command{"train-cifar10", "cifar10_train",
            "the same by recipes for CIFAR-10, small and as published (CT)"},
    Command{"train-edm", "cifar10_train_edm", "a denoiser, the teacher of distill"},
    Command{"distill", "cifar10_distill", "a denoiser into a one-step model (CD)"},
    Command{"sample", "cifar10_sample", "draws from a model"},
    Command{"edit", "edit", "fills in, colorizes, enlarges, denoises and interpolates images"},
    Command{"evaluate", "cifar10_evaluate", "measures samples against CIFAR-10: FID and others"},
    Command{"evaluate-fashion-mnist", "fashion_mnist_evaluate", "measures samples against Fashion-MNIST"},
    Command{"train-classifier", "fashion_mnist_classifier", "whose features evaluate-fashion-mnist compares"},
    Command{"policy", "policy", "robot policies of a pushing task, trained and compared"},
    Command{"convert", "convert", "an older model file into one that says what network it is of"},
    Command{"info", "info", "what this build is, or what is in a model file"},
};

void help(std::FILE* to) {
  std::fputs("Usage: consistency COMMAND [OPTION]...\n\nOne-step generative models.\n\nCommands:\n", to);
  for (auto const& [name, program, what] : commands) std::fprintf(to, "  %-23s %s\n", name, what);
  std::fputs(
      "\nconsistency COMMAND --help lists the options of a command, --version says the version.\n\n"
      "Examples:\n"
      "  consistency train --minutes 10 --out demo\n"
      "  consistency sample --model demo/model.safetensors --steps 2 --seed 7 --out grid.png\n"
      "  consistency info demo/model.safetensors\n\n"
      "Exit status: 0 done, 1 failed, 2 arguments that do not fit, 130 stopped by Ctrl-C.\n",
      to);
}

/// The file of a program. Throws config_error where it was not built or installed.
std::filesystem::path find(Command const& command) {
  auto const here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  for (auto const& folder : {here, here / PROGRAMS_WHEN_INSTALLED})
    if (std::filesystem::exists(folder / command.program)) return folder / command.program;
  fail<config_error>(command.name, "program " + std::string{command.program}, "none",
                     "one in " + here.string() + ", beside this one",
                     "Build the target consistency_examples.");
}

}  // namespace

int main(int argc, char** argv) try {
  auto const name = std::string_view{argc > 1 ? argv[1] : ""};
  if (name.empty()) return help(stderr), 2;
  if (name == "--help" || name == "-h") return help(stdout), 0;
  if (name == "--version") return std::printf("consistency %s\n", version.data()), 0;
  auto const* const command = std::ranges::find(commands, name, &Command::name);
  if (command == commands.end()) {
    std::fprintf(stderr, "consistency: no command \"%s\". consistency --help lists them.\n",
                 printable(std::string{name}).c_str());
    return 2;
  }
  auto const program = find(*command);
  auto called = std::string{argv[0]} + " " + command->name;
  argv[1] = called.data();
  ::execv(program.c_str(), argv + 1);
  detail::fail_io(program, "cannot be run", errno, "Build or install it again.");
} catch (std::exception const& failure) {
  std::fprintf(stderr, "consistency: %s\n", failure.what());
  return 1;
}
