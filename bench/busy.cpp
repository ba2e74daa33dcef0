// SPDX-License-Identifier: MIT
// Sampling and training steps with one and with two threads, in turns; busy.sh runs it beside busy processes.
// usage: busy SECONDS; prints a line for each kind of work: name, milliseconds with one and with two threads
// (medians), median of the ratios two / one of neighbouring runs, number of pairs
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include <consistency/consistency.hpp>

#include "descriptions.hpp"

namespace cm = consistency;

namespace {

using X = cm::Tensor<float>;

double median(std::vector<double> v) {
  auto const middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

template <class Work>
double milliseconds(unsigned threads, Work const& work) {
  cm::set_threads(threads);
  std::this_thread::sleep_for(std::chrono::milliseconds{2});  // each starts as a thread that has slept
  auto const start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

template <class Work>
void measure(char const* name, double seconds, Work const& work) {
  for (unsigned const threads : {1U, 2U}) milliseconds(threads, work);  // memory, instructions
  std::vector<double> one, two, ratio;
  for (double spent = 0; spent < 1000 * seconds || one.size() < 5; spent += one.back() + two.back()) {
    auto const two_first = one.size() % 2 == 1;
    if (two_first) two.push_back(milliseconds(2, work));
    one.push_back(milliseconds(1, work));
    if (!two_first) two.push_back(milliseconds(2, work));
    ratio.push_back(two.back() / one.back());
  }
  std::printf("%s %.2f %.2f %.3f %zu\n", name, median(one), median(two), median(ratio), one.size());
  std::fflush(stdout);
}

template <class F>
auto trainer(F const& f) {
  return cm::Trainer{
      cm::ConsistencyTraining{.f = f, .metric = cm::PseudoHuber{.c = 0.03}, .times = cm::GapTimes{}},
      cm::RAdam{}, f.initialize(cm::Key{1})};
}

}  // namespace

int main(int argc, char** argv) {
  auto const seconds = argc == 2 ? std::atof(argv[1]) / 4 : 0;
  if (!(seconds > 0)) {
    std::fprintf(stderr, "usage: busy SECONDS\n");
    return 2;
  }
  auto const f = cm::ConsistencyFunction{bench::demo_unet()};
  auto const theta = f.initialize(cm::Key{1});
  for (cm::Index const count : {16, 64})
    measure(count == 16 ? "sample_16_images" : "sample_64_images", seconds,
            [&] { cm::sample(f, theta, cm::OneStep{}, {.count = count, .batch = count}); });
  auto images = trainer(f);
  X const pictures = 0.5 * cm::normal<float>({16, 28, 28, 1}, cm::Key{2});
  measure("train_16_images", seconds, [&] { images.step(pictures); });
  auto points = trainer(cm::ConsistencyFunction{cm::Mlp{{.dimensions = 2, .width = 128}}});
  X const batch = 0.5 * cm::normal<float>({512, 2}, cm::Key{3});
  measure("train_512_points", seconds, [&] {
    for (int step = 0; step < 10; ++step) points.step(batch);
  });
}
