// SPDX-License-Identifier: MIT
// This library's side of bench/compare/run.sh and bench/cuda/run.sh; compare.py drives it.
// usage: compare_ours ROW THREADS FILE, or compare_ours_cuda, with ROW such as sample_b32 or
// sample_b1+bfloat16
//
// Writes the row's parameters, inputs and results to FILE (safetensors) and prints "ready". Then each line
// "run" on stdin runs the row once and prints the milliseconds; "rest" gives unused memory back and prints
// as much; "quit" prints the peak MB.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <consistency/io/safetensors_write.hpp>
#include <consistency/model/consistency_function.hpp>

#include "device.hpp"

namespace cm = consistency;

namespace {

using T = cm::Tensor<float>;
using X = cm::Tensor<float, compare::Backend>;

enum class Work { one_step, two_steps, heun, train };
enum class Net { demo, small, ddpmpp, ncsnpp };
struct Kind {
  Work work;
  Net net;
};

std::map<std::string, Kind> const kinds = {
    {"sample", {Work::one_step, Net::ddpmpp}},     {"small_sample", {Work::one_step, Net::small}},
    {"demo_sample", {Work::one_step, Net::demo}},  {"ncsnpp_sample", {Work::one_step, Net::ncsnpp}},
    {"two_steps", {Work::two_steps, Net::ddpmpp}}, {"demo_two_steps", {Work::two_steps, Net::demo}},
    {"heun", {Work::heun, Net::ddpmpp}},           {"small_heun", {Work::heun, Net::small}},
    {"train", {Work::train, Net::small}},          {"train_demo", {Work::train, Net::demo}},
    {"train_ddpmpp", {Work::train, Net::ddpmpp}},  {"train_ncsnpp", {Work::train, Net::ncsnpp}},
};

cm::UNet small_unet() {
  return cm::UNet{
      {.channels = 32, .multipliers = {1, 2, 2}, .attention = {8}, .groups = 8, .image = {32, 32, 3}}};
}

/// The network of the Fashion-MNIST demo, 28×28×1.
cm::UNet demo_unet() {
  return cm::UNet{{.channels = 32, .multipliers = {1, 2}, .attention = {7}, .heads = 2, .patch = 2}};
}

/// Normal draws of sensible sizes: no layer starts near zero, so that every one counts in the check.
cm::Parameters<X> random_parameters(cm::ParameterTable const& table) {
  auto theta = cm::Parameters<T>{table};
  std::uint32_t i = 0;
  for (auto const& entry : table.entries()) {
    auto const rank = entry.shape.rank();
    auto const fan_in = entry.shape.count() / entry.shape[rank - 1];
    auto const is_scale = rank == 1 && entry.name.ends_with(".weight");
    auto const size = rank == 1 ? 0.1 : 1 / std::sqrt(static_cast<double>(fan_in));
    T const draws =
        size * cm::normal<float>({1, entry.shape.count()}, cm::Key{7}, {0, i++}) + (is_scale ? 1.0 : 0.0);
    theta.flat().view(entry.offset, draws.shape()).assign(draws);
  }
  return cm::to<compare::Backend>(theta);
}

class Record {
 public:
  void add(std::string name, T const& values) {
    kept_.push_back(values);
    auto shape = std::vector<std::uint64_t>{};
    for (auto const extent : values.shape()) shape.push_back(static_cast<std::uint64_t>(extent));
    entries_.push_back(
        cm::tensor_entry(std::move(name), std::move(shape),
                         std::span<float const>(values.data(), static_cast<std::size_t>(values.count()))));
  }
  void add(cm::Parameters<X> const& theta) {
    for (cm::ParameterId id = 0; id < theta.table().entries().size(); ++id)
      add("theta." + theta.table().entries()[id].name, cm::to<cm::Cpu>(theta[id]));
  }
  void write(std::string const& path) const { cm::write_safetensors(path, entries_, {}, false); }

 private:
  std::vector<T> kept_;
  std::vector<cm::TensorEntry> entries_;
};

void serve(auto const& call) {
  compare::begin();
  std::puts("ready");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line) && line != "quit";) {
    auto const start = std::chrono::steady_clock::now();
    line == "rest" ? compare::rest() : call();
    compare::wait();
    auto const passed = std::chrono::steady_clock::now() - start;
    std::printf("%.4f\n", std::chrono::duration<double, std::milli>(passed).count());
    std::fflush(stdout);
  }
  std::printf("%.1f\n", compare::peak_megabytes());
}

void sampling(auto const& f, auto const& sampler, cm::Index batch, std::string const& path) {
  auto const theta = cm::PreparedParameters{random_parameters(f.network().parameters())};
  auto const settings = cm::SampleSettings{.seed = 1, .count = batch, .batch = batch};
  auto const shape = f.network().data_shape().samples(batch);
  X images{shape};
  auto const call = [&] { images.assign(cm::sample(f, theta, sampler, settings)); };
  call();
  Record record;
  record.add(theta.parameters());
  record.add("z", cm::normal<float>(shape, cm::Key{1, cm::stream::sampling}));
  record.add("noise", cm::normal<float>(shape, cm::Key{1, cm::stream::sampling}, {1, 0}));  // of step 2
  record.add("result", cm::to<cm::Cpu>(images));
  record.write(path);
  cm::Recorder<compare::Backend> recorder;
  serve([&] { recorder.run(call); });
}

template <class Network>
void training(Network network, cm::Index batch, std::string const& path) {
  auto const key = cm::Key{3};
  auto const shape = network.data_shape();
  auto const method = cm::ConsistencyTraining{.f = cm::ConsistencyFunction{std::move(network)},
                                              .metric = cm::PseudoHuber::for_dimensions(shape.count()),
                                              .times = cm::GridTimes<cm::FixedSteps>{{.N = 18}}};
  cm::Trainer trainer{method,
                      cm::RAdam{},
                      random_parameters(method.f.network().parameters()),
                      {.ema = 0.9999, .key = key, .record = !cm::OnHost<compare::Backend>}};
  T const images = 0.5 * cm::normal<float>(shape.samples(batch), cm::Key{2});
  X const x = cm::to<compare::Backend>(images);
  T t{cm::Shape{batch}}, r{cm::Shape{batch}};
  for (cm::Index i = 0; i < batch; ++i) {
    auto const pair = method.times.draw(method.f.process(), 0, key.with_stream(cm::stream::times),
                                        {0, static_cast<std::uint32_t>(i)});
    t.mutable_data()[i] = static_cast<float>(pair.t);
    r.mutable_data()[i] = static_cast<float>(pair.r);
  }
  {
    Record record;
    record.add(cm::Parameters<X>{trainer.theta()});
    record.add("x", images);
    record.add("t", t);
    record.add("r", r);
    record.add("z", cm::normal<float>(images.shape(), key.with_stream(cm::stream::noise)));
    record.add("result", T(cm::Shape{1}, static_cast<float>(trainer.step(x).loss)));
    record.write(path);
  }
  cm::MemoryPool::instance().trim();
  serve([&] { trainer.step(x); });
}

template <class Network>
void run(Work work, Network network, cm::Index batch, std::string const& path) {
  switch (work) {
    case Work::one_step:
      return sampling(cm::ConsistencyFunction{std::move(network)}, cm::OneStep{}, batch, path);
    case Work::two_steps:
      return sampling(cm::ConsistencyFunction{std::move(network)}, cm::Multistep{}, batch, path);
    case Work::heun:
      return sampling(cm::Denoiser{std::move(network)}, cm::OdeSampler<cm::Heun>{.steps = 18}, batch, path);
    case Work::train:
      return training(std::move(network), batch, path);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  auto const row = std::string{argc == 4 ? argv[1] : ""};
  auto const name = row.substr(0, row.find('+'));
  auto const split = name.rfind("_b");
  auto const kind = kinds.find(name.substr(0, split));
  auto const batch = split == std::string::npos ? 0 : std::atol(name.c_str() + split + 2);
  if (kind == kinds.end() || batch < 1 || (row != name && row != name + "+bfloat16")) {
    std::fprintf(stderr,
                 "usage: compare_ours ROW THREADS FILE, with ROW such as sample_b32 or sample_b1+bfloat16\n");
    return 2;
  }
  if (row != name && !compare::in_bfloat16()) {
    std::fprintf(stderr, "%s: on the CPU products are in float32\n", argv[1]);
    return 2;
  }
  cm::set_threads(static_cast<unsigned>(std::atoi(argv[2])));
  auto const [work, net] = kind->second;
  if (net == Net::small || net == Net::demo)
    run(work, net == Net::small ? small_unet() : demo_unet(), batch, argv[3]);
  else
    run(work,
        cm::SongUNet{net == Net::ncsnpp ? cm::SongUNetSettings::ncsnpp() : cm::SongUNetSettings::ddpmpp()},
        batch, argv[3]);
} catch (std::exception const& failure) {
  std::fprintf(stderr, "compare_ours: %s\n", failure.what());
  return 1;
}
