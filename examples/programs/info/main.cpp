// SPDX-License-Identifier: MIT
// Says what this build is and what it computes with on this machine.

#include <cstdio>
#include <string>
#include <string_view>
#include <thread>

#include <consistency/consistency.hpp>
#ifdef EXAMPLE_CUDA  // by CMake, where there is consistency::cuda
#include <consistency/cuda.hpp>
#endif

#include "../support/compiler.hpp"

namespace {

void row(std::string_view name, std::string_view value) {
  std::printf("%-13.*s %.*s\n", static_cast<int>(name.size()), name.data(), static_cast<int>(value.size()),
              value.data());
}

std::string cuda() {
#ifdef EXAMPLE_CUDA
  if (consistency::cuda::on_host()) return "kernels on the host, for tests";
  auto const why = consistency::cuda::unavailable();
  return why.empty() ? "a GPU" : "no GPU can be used: " + why;
#else
  return "not built in (CONSISTENCY_CUDA)";
#endif
}

}  // namespace

int main() {
  row("consistency", consistency::version);
  row("compiler", example::compiler());
  row("instructions", consistency::cpu::instruction_set());
  row("threads", std::to_string(consistency::threads()) + " of " +
                     std::to_string(std::thread::hardware_concurrency()) + " in hardware");
  row("cuda", cuda());
}
