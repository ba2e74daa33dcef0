// SPDX-License-Identifier: MIT
// What libFuzzer does, for compilers without it, and without looking at coverage: mutates the files of a
// corpus until the time is over. usage as libFuzzer's: fuzz_NAME -max_total_time=S -seed=N
// -artifact_prefix=DIR/ CORPUS...
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "attack.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);

int main(int argc, char** argv) {
  using namespace consistency::attack;
  auto seconds = 10.0;
  auto random = std::mt19937_64{1};
  auto artifact = std::string{"finding"};
  auto corpus = std::vector<std::string>{""};
  for (auto i = 1; i < argc; ++i) {
    auto const argument = std::string_view{argv[i]};
    auto const value = argument.substr(std::min(argument.size(), argument.find('=') + 1));
    if (argument.starts_with("-max_total_time=")) seconds = std::atof(value.data());
    if (argument.starts_with("-seed=")) random.seed(std::strtoull(value.data(), nullptr, 10));
    if (argument.starts_with("-artifact_prefix=")) artifact = std::string{value} + "crash";
    if (std::error_code ignored; std::filesystem::is_directory(argument, ignored))
      for (auto const& file : std::filesystem::directory_iterator{argument}) corpus.push_back(slurp(file));
  }
  auto const draw = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  auto const end = std::chrono::steady_clock::now() + std::chrono::duration<double>{seconds};
  long units = 0;
  for (; std::chrono::steady_clock::now() < end; ++units) {
    auto input = corpus[static_cast<std::size_t>(units) % corpus.size()];
    for (auto changes = units < static_cast<long>(corpus.size()) ? 0 : 1 + draw(4); changes > 0; --changes) {
      auto const at = draw(input.size() + 1);
      auto const& other = corpus[draw(corpus.size())];
      switch (draw(4)) {
        case 0:
          input.insert(at, 1 + draw(8), static_cast<char>(random()));
          break;
        case 1:
          input.erase(at, 1 + draw(8));
          break;
        case 2:
          input = input.substr(0, at) + other.substr(draw(other.size() + 1));
          break;
        default:
          if (at < input.size()) input[at] = static_cast<char>(random());
          break;
      }
    }
    ::alarm(60);             // an input that hangs ends the process too
    spill(artifact, input);  // stays where the next line ends the process
    LLVMFuzzerTestOneInput(reinterpret_cast<std::uint8_t const*>(input.data()), input.size());
  }
  std::filesystem::remove(artifact);
  std::fprintf(stderr, "stat::number_of_executed_units: %ld\n", units);
}
