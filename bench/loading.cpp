// SPDX-License-Identifier: MIT
// Loading weights of ADM for ImageNet 64×64 (1.2 GB) from a file in memory, beside reading the file alone.

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <consistency/io/torch_parameters.hpp>
#include <consistency/network/adm.hpp>
#include <consistency/tensor/cpu.hpp>

namespace {

using namespace consistency;

Adm const& network() {
  static Adm const net{{.condition = {.features = 1000}}};
  return net;
}

/// A file of random weights, gone with the process.
std::string const& path() {
  static auto const file = [] {
    auto const name =
        (std::filesystem::temp_directory_path() / ("bench_loading_" + std::to_string(::getpid()))).string();
    write_torch_parameters(name, Parameters<Tensor<float>>::initialized(network().parameters(), Key{1}));
    std::atexit([] { std::filesystem::remove(path()); });
    return name;
  }();
  return file;
}

/// Bytes of this process that belong to no file.
double anonymous_bytes() {
  auto file = std::ifstream{"/proc/self/status"};
  for (std::string word; file >> word;)
    if (word == "RssAnon:") {
      double kilobytes = 0;
      file >> kilobytes;
      return 1024 * kilobytes;
    }
  return 0;
}

void read_alone(benchmark::State& state) {
  auto const size = std::filesystem::file_size(path());
  for (auto _ : state) {
    auto const buffer = std::make_unique_for_overwrite<std::byte[]>(size);
    auto const file = ::open(path().c_str(), O_RDONLY);
    for (std::size_t at = 0; at < size;) {
      auto const got = ::read(file, buffer.get() + at, size - at);
      if (got <= 0) return state.SkipWithError("read failed");
      at += static_cast<std::size_t>(got);
    }
    ::close(file);
    benchmark::DoNotOptimize(buffer.get());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
}
BENCHMARK(read_alone)->Unit(benchmark::kMillisecond)->UseRealTime();

void load(benchmark::State& state) {
  auto const size = std::filesystem::file_size(path());
  double anonymous = 0;
  for (auto _ : state) {
    MemoryPool::instance().trim();
    auto const before = anonymous_bytes();
    auto const theta = read_torch_parameters(path(), network().parameters());
    anonymous = anonymous_bytes() - before;
    benchmark::DoNotOptimize(theta.flat().data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * size));
  state.counters["copies"] = anonymous / static_cast<double>(size);
}
BENCHMARK(load)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
