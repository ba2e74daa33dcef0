// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <new>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <typeinfo>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/checkpoint/newest_checkpoint.hpp>
#include <consistency/consistency.hpp>
#include <consistency/io/digest.hpp>

namespace consistency::attack {

/// What an attack was told: attack_NAME --seconds S --seed N --folder DIR. Counts the trials and failures of
/// every promise, keeps what broke one in DIR/kept, and prints `promise<tab>trials<tab>failures` at the end.
class Attack {
 public:
  Attack(int argc, char** argv) {
    for (auto i = 1; i + 1 < argc; i += 2) {
      auto const name = std::string_view{argv[i]};
      if (name == "--seconds") seconds_ = std::strtod(argv[i + 1], nullptr);
      if (name == "--seed") random.seed(std::strtoull(argv[i + 1], nullptr, 10));
      if (name == "--folder") folder_ = argv[i + 1];
    }
    std::filesystem::create_directories(folder_);
  }

  std::mt19937_64 random;

  /// 0 … n - 1.
  std::size_t draw(std::size_t n) { return static_cast<std::size_t>(random() % n); }

  std::filesystem::path operator/(std::string_view name) const { return folder_ / name; }

  bool goes_on() const {
    return std::chrono::duration<double>{std::chrono::steady_clock::now() - start_}.count() < seconds_;
  }

  /// One more trial of a promise. Returns whether it held; the first breaches are told.
  bool trial(std::string const& promise, bool held, std::string const& what) {
    constexpr auto told = 5;
    auto& [trials, failures] = counts_[promise];
    ++trials;
    if (!held && ++failures <= told) std::fprintf(stderr, "broken: %s: %s\n", promise.c_str(), what.c_str());
    return held;
  }

  /// Keeps the files of `from` for a look at what broke a promise.
  void keep(std::filesystem::path const& from, std::string const& name) const {
    std::error_code ignored;
    std::filesystem::create_directories(folder_ / "kept", ignored);
    std::filesystem::copy(
        from, folder_ / "kept" / name,
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::skip_existing, ignored);
  }

  int finish() const {
    long failed = 0;
    for (auto const& [promise, count] : counts_) {
      std::printf("%s\t%ld\t%ld\n", promise.c_str(), count.trials, count.failures);
      failed += count.failures;
    }
    return failed == 0 ? 0 : 1;
  }

 private:
  struct Count {
    long trials = 0, failures = 0;
  };

  double seconds_ = 10;
  std::filesystem::path folder_ = "attack";
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::map<std::string, Count> counts_;
};

/// How action() ended.
struct Outcome {
  enum Kind { done, typed, out_of_memory, untyped } kind = done;
  std::string text;
};

template <class Action>
Outcome outcome(Action const& action) {
  try {
    action();
    return {};
  } catch (error const& e) {
    return {Outcome::typed, e.what()};
  } catch (std::bad_alloc const&) {
    return {Outcome::out_of_memory, "std::bad_alloc"};
  } catch (std::exception const& e) {
    return {Outcome::untyped, std::string{typeid(e).name()} + ": " + e.what()};
  }
}

inline std::string slurp(std::filesystem::path const& path) {
  auto file = std::ifstream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}
inline void spill(std::filesystem::path const& path, std::string_view bytes) {
  auto file = std::ofstream{path, std::ios::binary | std::ios::trunc};
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

/// Names in `folder` beside `expected`, one after the other.
inline std::string strays(std::filesystem::path const& folder, std::set<std::string> const& expected) {
  std::string names;
  for (auto const& entry : std::filesystem::directory_iterator{folder})
    if (auto const name = entry.path().filename().string(); !expected.contains(name)) names += name + " ";
  return names;
}

using X = Tensor<float>;

/// A training run small enough to be killed a thousand times.
inline auto small_trainer(Index width = 16) {
  auto const f = ConsistencyFunction{Mlp{{.dimensions = 2, .width = width, .layers = 2, .embedding = 8}}};
  return Trainer{ConsistencyTraining{.f = f,
                                     .metric = PseudoHuber{.c = 0.01},
                                     .times = GapTimes{},
                                     .weighting = InverseGapWeighting{},
                                     .target = EmaTarget{}},
                 RAdam{.learning_rate = 1e-3}, f.initialize(Key{7}), TrainerSettings{.ema = 0.9, .key = {7}}};
}
inline X small_batch(Index step) {
  return X{0.5 * normal<float>({16, 2}, Key{3}, {.step = static_cast<std::uint32_t>(step)})};
}

inline std::string digest_of(TrainingState<X> const& state) {
  auto digest = Digest{};
  for_arenas(state, [&](std::string const&, Parameters<X> const& arena) {
    digest.update(std::as_bytes(arena.flat().values()));
  });
  digest.update(text_bytes(number_text(state.step)));
  return digest.hex();
}

/// The step of the newest whole checkpoint; -1: there is none.
inline Index newest_step(std::filesystem::path const& path, ParameterTable const& table) {
  Index newest = -1;
  outcome([&] { newest = newest_checkpoint(path).file.state(table).step; });
  return newest;
}

}  // namespace consistency::attack
