// SPDX-License-Identifier: MIT
// How long an application waits for one sample: SamplingSession::draw at batch 1, with one thread and with
// two, alone and beside a thread that keeps a core busy; and what draw adds to the network's own time. usage:
// latency [SECONDS]; prints a line for each case, in µs. Draws and bare evaluations of the network take
// turns; "adds" is the median difference of neighbours in processor time of the calling thread, which other
// programs on the machine disturb least.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <thread>
#include <vector>

#include <time.h>

#include <consistency/consistency.hpp>
#include <consistency/sampling/session.hpp>

#include "descriptions.hpp"

namespace cm = consistency;

namespace {

using X = cm::Tensor<float>;

/// The p-th part of them in order, p in [0, 1).
double quantile(std::vector<double> v, double p) {
  auto const at = v.begin() + static_cast<std::ptrdiff_t>(p * static_cast<double>(v.size()));
  std::nth_element(v.begin(), at, v.end());
  return *at;
}

struct Time {
  double wall, processor;  ///< in µs; the calling thread's
};

double thread_time() {
  struct ::timespec now {};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

Time timed(auto const& work) {
  auto const processor = thread_time();
  auto const start = std::chrono::steady_clock::now();
  work();
  auto const wall = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start);
  return {wall.count(), thread_time() - processor};
}

/// F = x, for the time that draw itself takes on images of 28×28.
class NoNetwork {
 public:
  NoNetwork() { table_.add("none", {1}, cm::Initializer::zeros()); }
  cm::ParameterTable const& parameters() const noexcept { return table_; }
  cm::Shape data_shape() const { return {28, 28, 1}; }
  auto operator()(auto const&, cm::Value auto const& x, auto const&, cm::Mode const& = {}) const { return x; }

 private:
  cm::ParameterTable table_;
};

/// Keeps a core busy while it lives.
class BusyCore {
 public:
  BusyCore()
      : thread_{[this] {
          while (!stop_.load(std::memory_order_relaxed)) {
          }
        }} {}
  BusyCore(BusyCore const&) = delete;
  BusyCore& operator=(BusyCore const&) = delete;
  ~BusyCore() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

template <class F>
void measure(char const* name, F const& f, double seconds, unsigned threads, bool beside_busy_core) {
  auto const theta = cm::PreparedParameters{f.initialize(cm::Key{1})};
  cm::SamplingSession session{f, theta, cm::OneStep{}, {.threads = threads}};
  auto const one = session.sample_shape().samples(1);
  auto const noise = cm::normal<X>(one, cm::Key{2});
  auto const features = std::vector<float>(static_cast<std::size_t>(session.condition_size()), 0.5F);
  std::vector<float> out(static_cast<std::size_t>(one.count()));
  auto const draw = [&] { session.draw(out, {.condition = features, .noise = noise.values()}); };

  X const x = f.process().prior(noise);
  X const t{one.per_sample(), static_cast<float>(f.process().range().largest)};
  auto const condition =
      features.empty() ? cm::Condition<X>{} : cm::Condition<X>{X{{1, session.condition_size()}, features}};
  auto const given = f.given(condition);
  cm::MemoryCache memory;
  cm::ThreadPool pool{threads, true};
  auto const evaluate = [&] {  // with threads and memory as the session has them
    cm::MemoryCache::Scope const own_memory{memory};
    cm::ExecutorScope const own_threads{pool};
    X const y = given(theta.parameters(), x, t);
    out[0] = y[0];
  };

  std::optional<BusyCore> busy;
  if (beside_busy_core) busy.emplace();
  std::vector<double> drawn, evaluated, added;
  for (int i = 0; i < 20; ++i) draw(), evaluate();
  auto const start = std::chrono::steady_clock::now();
  while (drawn.size() < 1000 ||
         std::chrono::steady_clock::now() - start < std::chrono::duration<double>{seconds}) {
    auto const draw_first = drawn.size() % 2 == 0;
    Time of_draw{}, of_network{};
    if (draw_first) of_draw = timed(draw);
    of_network = timed(evaluate);
    if (!draw_first) of_draw = timed(draw);
    drawn.push_back(of_draw.wall);
    evaluated.push_back(of_network.wall);
    added.push_back(of_draw.processor - of_network.processor);
  }
  std::printf("%-14s %u %-5s network %8.1f  draw p50 %8.1f p99 %8.1f p99.9 %8.1f  adds %5.2f  (%zu draws)\n",
              name, threads, beside_busy_core ? "busy" : "alone", quantile(evaluated, 0.5),
              quantile(drawn, 0.5), quantile(drawn, 0.99), quantile(drawn, 0.999), quantile(added, 0.5),
              drawn.size());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  auto const seconds = argc == 2 ? std::atof(argv[1]) : 2;
  if (argc > 2 || !(seconds > 0)) {
    std::fprintf(stderr, "usage: latency [SECONDS]\n");
    return 2;
  }
  // 16 actions of 2 numbers after an observation of 20: 0.95 million parameters.
  auto const policy = cm::ConsistencyFunction{
      cm::Mlp{{.dimensions = 32, .width = 512, .layers = 4, .embedding = 64, .condition = {.features = 21}}}};
  auto const garments = cm::ConsistencyFunction{bench::demo_unet()};  // the network of examples/models
  std::printf("policy of %lld parameters, garments of %lld, %s\n",
              static_cast<long long>(policy.network().parameters().count()),
              static_cast<long long>(garments.network().parameters().count()),
              cm::cpu::instruction_set().data());
  measure("no network", cm::ConsistencyFunction{NoNetwork{}}, seconds, 1, false);
  for (auto const busy : {false, true})
    for (auto const threads : {1U, 2U}) {
      measure("policy", policy, seconds, threads, busy);
      measure("fashion_mnist", garments, seconds, threads, busy);
    }
}
