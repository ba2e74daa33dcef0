// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/consistency.hpp>

#include "../support/compare.hpp"
#include "../support/fails.hpp"
#include "../support/temp_folder.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using X = Tensor<float>;

ConsistencyFunction const f{Mlp{{.dimensions = 2, .width = 16, .layers = 2, .embedding = 8}}};

X batch(Index k) { return 0.5 * normal<float>({16, 2}, {4}, {static_cast<std::uint32_t>(k), 0}); }

/// An optimizer that a user wrote (Chen et al. 2023).
struct Lion {
  static constexpr auto state_names = std::array<std::string_view, 1>{"direction"};
  double rate = 1e-3;

  template <class Any>
  void update(Update<Any>& u) const {
    auto& m = u.state[0];
    Any const c = 0.9 * m + (0.1 * u.scale) * u.gradient;
    u.theta.assign(evaluated(u.theta - rate * (c / (abs(c) + 1e-12))));
    m.assign(evaluated(0.99 * m + (0.01 * u.scale) * u.gradient));
  }
};

template <class O>
auto trainer(O const& optimizer, TrainerSettings const& settings) {
  return Trainer{ConsistencyTraining{.f = f, .target = EmaTarget{}}, optimizer, f.initialize(Key{1}),
                 settings};
}

bool same(TrainingState<X> const& a, TrainingState<X> const& b) {
  std::vector<std::string> names;
  for_arenas(a, [&](std::string const& name, Parameters<X> const&) { names.push_back(name); });
  return a.step == b.step && a.process == b.process && a.optimizer.size() == b.optimizer.size() &&
         std::all_of(names.begin(), names.end(),
                     [&](auto const& name) { return same_bits(a.at(name).flat(), b.at(name).flat()); });
}

}  // namespace

TEST_CASE("a run with any optimizer and several averages goes on from its file to the same bits") {
  auto const settings =
      TrainerSettings{.ema = 0.9, .further_averages = {Average::constant(0.5), Average::half_life(4)}};
  auto const check = [&](auto const& optimizer) {
    TempFolder const folder;
    auto const path = folder / "run.safetensors";
    auto whole = trainer(optimizer, settings);
    auto first = trainer(optimizer, settings);
    for (Index k = 0; k < 8; ++k) {
      whole.step(batch(k));
      if (k < 4) first.step(batch(k));
    }
    save_checkpoint(path, first.state(), {});
    auto second = trainer(optimizer, settings);
    second.resume(load_checkpoint(path, f.network().parameters()).state);
    CHECK(same(second.state(), first.state()));
    for (Index k = 4; k < 8; ++k) second.step(batch(k));
    CHECK(same(second.state(), whole.state()));
  };
  check(Lion{});
  check(Sgd{});
  check(AdamW{});
  check(Muon{});
  check(Groups{Group{{"out*"}, Lion{}}, Group{{"hidden0*"}, Frozen{}}, Group{{"hidden1*"}, Adam{}}});
}

TEST_CASE("the state of another optimizer, of other averages or of another process is rejected by name") {
  auto adam = trainer(Adam{}, {});
  adam.step(batch(0));
  auto lion = trainer(Lion{}, {});
  auto const before = lion.state();
  check_fails<ErrorCode::config>([&] { lion.resume(adam.state()); },
                                 {"state of the optimizer", "first_moment, second_moment", "direction"});
  CHECK(same(lion.state(), before));
  auto more = trainer(Adam{}, {.further_averages = {0.5}});
  check_fails<ErrorCode::config>([&] { more.resume(adam.state()); },
                                 {"averages", "found none", "averaged_2"});
}

TEST_CASE("files of before optimizers had names resume as Adam's") {
  TempFolder const folder;
  auto const path = folder / "old.safetensors";
  auto run = trainer(RAdam{}, {});
  for (Index k = 0; k < 3; ++k) run.step(batch(k));
  // What such a file lacks is what the metadata says beyond its settings.
  std::vector<TensorEntry> entries;
  for_arenas(run.state(), [&](std::string const& name, Parameters<X> const& arena) {
    detail::append_entries(entries, "test", name, arena);
  });
  write_safetensors(path, entries, detail::checkpoint_metadata(f.network().parameters(), 3, Key{}, {}));
  auto const file = CheckpointFile{path};
  CHECK(file.process().empty());
  auto other = trainer(Adam{}, {});
  other.resume(file.state(f.network().parameters()));
  CHECK(same_bits(other.state().at("second_moment").flat(), run.state().at("second_moment").flat()));
}

TEST_CASE("a file names each arena of its run once, and no more of them than a run has") {
  TempFolder const folder;
  auto const path = folder / "names.safetensors";
  auto const run = trainer(Adam{}, {});
  std::vector<TensorEntry> entries;
  for_arenas(run.state(), [&](std::string const& name, Parameters<X> const& arena) {
    detail::append_entries(entries, "test", name, arena);
  });
  auto const file = [&](std::string const& averages, std::string const& optimizer) {
    auto metadata = detail::checkpoint_metadata(f.network().parameters(), 0, Key{}, {});
    metadata.emplace("averages", averages);
    metadata.emplace("optimizer", optimizer);
    write_safetensors(path, entries, metadata);
    return CheckpointFile{path};
  };
  auto const moments = std::string{"first_moment,second_moment"};
  CHECK(file("", moments).state(f.network().parameters()).optimizer.size() == 2);
  for (auto const* averages : {"theta", "averaged,averaged", "a,b,a", ",", "a,,b", "a,"})
    check_fails<ErrorCode::format>([&] { file(averages, moments); }, {"names.safetensors", "averages"});
  check_fails<ErrorCode::format>([&] { file("first_moment", moments); }, {"optimizer", moments});
  check_fails<ErrorCode::format>([&] { file("", moments + "," + moments); }, {"optimizer", "each once"});
  std::string many = "a0";
  for (Index i = 1; i < 100'000; ++i) many += ",a" + number_text(i);
  check_fails<ErrorCode::format>([&] { file(many, moments); }, {"averages", "a0,a1", "at most 100"});
}

TEST_CASE("a file says the noise process of its run, and another is rejected") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  auto const state = trainer(Adam{}, {}).state();
  save_parameters(path, state.averaged, "averaged", 1, {}, {}, state.process);
  CheckpointFile{path}.require_process(f.process());
  check_fails<ErrorCode::mismatch>([&] { CheckpointFile{path}.require_process(LinearPath{}); },
                                   {"noise process", "VarianceExploding{", "LinearPath{"});
}

TEST_CASE("parameters are loaded by pattern into a network that shares them, and all or none of them") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  auto const theta = f.initialize(Key{7});
  save_parameters(path, theta, "averaged", 1, {});
  auto const file = CheckpointFile{path};
  ConsistencyFunction const other{Mlp{{.dimensions = 3, .width = 16, .layers = 2, .embedding = 8}}};
  auto some = other.initialize(Key{8});
  auto const names = file.parameters_into(some, "averaged", "hidden1.*");
  CHECK(names == std::vector<std::string>{"hidden1.weight", "hidden1.bias"});
  CHECK(same_bits(some.at("hidden1.weight"), theta.at("hidden1.weight")));
  CHECK(same_bits(some.at("out.weight"), other.initialize(Key{8}).at("out.weight")));
  auto const before = some.flat().clone();
  check_fails<ErrorCode::mismatch>([&] { file.parameters_into(some, "averaged", "*"); },
                                   {"hidden0.weight has shape", "out.weight has shape"});
  check_fails<ErrorCode::mismatch>([&] { file.parameters_into(some, "averaged", "head*"); }, {"head*"});
  check_fails<ErrorCode::mismatch>([&] { file.parameters_into(some, "theta", "hidden1.*"); },
                                   {"theta/hidden1.weight is missing"});
  CHECK(same_bits(some.flat(), before));
}
