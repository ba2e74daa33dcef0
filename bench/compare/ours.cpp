// This library's side of bench/compare/run.sh; compare.py drives it.
// usage: compare_ours ROW THREADS FILE
// Writes the row's parameters, inputs and results to FILE (safetensors) and prints "ready". Then each line
// "run" on stdin runs the row once and prints the milliseconds; "quit" prints the peak resident MB.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <consistency/consistency.hpp>
#include <consistency/io/safetensors_write.hpp>

namespace cm = consistency;

namespace {

using T = cm::Tensor<float>;

struct Row {
  bool trains;
  bool ddpmpp;
  cm::Index batch;
};

std::map<std::string, Row> const rows = {
    {"sample_b1", {false, true, 1}},        {"sample_b32", {false, true, 32}},
    {"small_sample_b1", {false, false, 1}}, {"small_sample_b64", {false, false, 64}},
    {"train_b32", {true, false, 32}},       {"train_ddpmpp_b8", {true, true, 8}},
};

cm::UNet small_unet() {
  return cm::UNet{
      {.channels = 32, .multipliers = {1, 2, 2}, .attention = {8}, .groups = 8, .image = {32, 32, 3}}};
}

/// Normal draws of sensible sizes: no layer starts near zero, so that every one counts in the check.
cm::Parameters<T> random_parameters(cm::ParameterTable const& table) {
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
  return theta;
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
  void add(cm::Parameters<T> const& theta) {
    for (cm::ParameterId id = 0; id < theta.table().entries().size(); ++id)
      add("theta." + theta.table().entries()[id].name, theta[id]);
  }
  void write(std::string const& path) const { cm::write_safetensors(path, entries_, {}, false); }

 private:
  std::vector<T> kept_;
  std::vector<cm::TensorEntry> entries_;
};

double peak_megabytes() {
  auto status = std::ifstream{"/proc/self/status"};
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::atof(line.c_str() + 6) / 1024;
  return 0;
}

void serve(auto const& call) {
  std::ofstream{"/proc/self/clear_refs"} << 5;  // forgets the peak of the preparation
  std::puts("ready");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line) && line == "run";) {
    auto const start = std::chrono::steady_clock::now();
    call();
    auto const passed = std::chrono::steady_clock::now() - start;
    std::printf("%.4f\n", std::chrono::duration<double, std::milli>(passed).count());
    std::fflush(stdout);
  }
  std::printf("%.1f\n", peak_megabytes());
}

template <class Network>
void sampling(Network network, cm::Index batch, std::string const& path) {
  auto const f = cm::ConsistencyFunction{std::move(network)};
  auto const theta = random_parameters(f.network().parameters());
  auto const settings = cm::SampleSettings{.seed = 1, .count = batch};
  auto const call = [&] { return cm::sample(f, theta, cm::OneStep{}, settings); };
  Record record;
  record.add(theta);
  record.add("z", cm::normal<float>({batch, 32, 32, 3}, cm::Key{1, cm::stream::sampling}));
  record.add("result", call());
  record.write(path);
  serve(call);
}

template <class Network>
void training(Network network, cm::Index batch, std::string const& path) {
  auto const key = cm::Key{3};
  auto const method = cm::ConsistencyTraining{cm::ConsistencyFunction{std::move(network)},
                                              cm::PseudoHuber::for_dimensions(3072),
                                              cm::GridTimes<cm::FixedSteps>{{.N = 18}}};
  cm::Trainer trainer{
      method, cm::RAdam{}, random_parameters(method.f.network().parameters()), {.ema = 0.9999, .key = key}};
  T const x = 0.5 * cm::normal<float>({batch, 32, 32, 3}, cm::Key{2});
  T t{cm::Shape{batch}}, r{cm::Shape{batch}};
  for (cm::Index i = 0; i < batch; ++i) {
    auto const pair =
        method.times.draw(0, key.with_stream(cm::stream::times), {0, static_cast<std::uint32_t>(i)});
    t.mutable_data()[i] = static_cast<float>(pair.t);
    r.mutable_data()[i] = static_cast<float>(pair.r);
  }
  {
    Record record;
    record.add(cm::Parameters<T>{trainer.theta()});
    record.add("x", x);
    record.add("t", t);
    record.add("r", r);
    record.add("z", cm::normal<float>(x.shape(), key.with_stream(cm::stream::noise)));
    record.add("result", T(cm::Shape{1}, static_cast<float>(trainer.step(x).loss)));
    record.write(path);
  }
  cm::MemoryPool::instance().trim();
  serve([&] { trainer.step(x); });
}

template <class Network>
void run(Row const& row, Network network, std::string const& path) {
  if (row.trains) return training(std::move(network), row.batch, path);
  sampling(std::move(network), row.batch, path);
}

}  // namespace

int main(int argc, char** argv) try {
  auto const row = argc == 4 ? rows.find(argv[1]) : rows.end();
  if (row == rows.end()) {
    std::fprintf(stderr, "usage: compare_ours ROW THREADS FILE\n");
    return 2;
  }
  cm::set_threads(static_cast<unsigned>(std::atoi(argv[2])));
  if (row->second.ddpmpp)
    run(row->second, cm::DdpmPp{}, argv[3]);
  else
    run(row->second, small_unet(), argv[3]);
} catch (std::exception const& refusal) {
  std::fprintf(stderr, "compare_ours: %s\n", refusal.what());
  return 1;
}
