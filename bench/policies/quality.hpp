// SPDX-License-Identifier: MIT
#pragma once

// Trains every combination under equal budgets, and measures its samples.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <numeric>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <consistency/evaluation/energy_distance.hpp>
#include <consistency/evaluation/histogram_divergence.hpp>
#include <consistency/io/png.hpp>
#include <consistency/tensor/cpu/instruction_set.hpp>

#include "../../examples/programs/support/compiler.hpp"
#include "../../examples/programs/support/interrupt.hpp"
#include "../../examples/programs/support/picture.hpp"
#include "../../examples/programs/support/text.hpp"
#include "combination.hpp"
#include "outcome.hpp"
#include "processor.hpp"
#include "task.hpp"

namespace policies {

struct QualityOptions {
  Plan plan;
  std::string images = example::fashion_mnist;
  Index seeds = 1;
  std::string filter = ".*";
  std::filesystem::path out = "policies";
  bool quiet = false;
};

class Quality {
 public:
  /// Throws mismatch_error where the folder has outcomes of another plan.
  explicit Quality(QualityOptions options)
      : options_{std::move(options)}, file_{options_.out / "results.json"} {
    std::error_code failure;
    std::filesystem::create_directories(options_.out, failure);
    if (std::filesystem::exists(file_, failure)) {
      results_ = Results::load(file_);
      if (!(results_.plan == options_.plan))
        fail<mismatch_error>(file_.string(), "plan of the outcomes", nlohmann::json(results_.plan).dump(),
                             nlohmann::json(options_.plan).dump(), "Choose another --out.");
    }
    results_.plan = options_.plan;
    results_.processor = processor();
    results_.instructions = std::string{cpu::instruction_set()};
    results_.compiler = example::compiler();
  }

  /// Trains what is not there yet. False: it was interrupted, and the rest is left.
  bool run(std::vector<Combination> const& combinations) {
    auto const wanted = std::regex{options_.filter};
    for (Index seed = 0; seed < options_.seeds; ++seed) {
      std::optional<Pupils> pupils;
      for (auto const& combination : combinations) {
        if (!std::regex_search(combination.name(), wanted)) continue;
        for (auto const* const budget : {"steps", "seconds"}) {
          if (example::interrupted()) return false;
          auto const number = static_cast<std::uint64_t>(seed);
          if (results_.find(combination.name(), budget, number) != nullptr) continue;
          if (!pupils) pupils.emplace(taught(number));
          results_.outcomes.push_back(train(combination, budget, number, *pupils));
          results_.save(file_);
        }
      }
    }
    return true;
  }

  Results const& results() const { return results_; }

 private:
  static constexpr Index measurements = 8, measured_on_the_way = 512;

  /// The data of a seed, and a teacher for it.
  struct Pupils {
    Task task;
    Classroom room;
  };

  static SampleSettings drawn(Index count, std::uint64_t seed) {
    return {.seed = seed, .count = count, .batch = 256};
  }

  void say(char const* text) const {
    if (options_.quiet) return;
    std::printf("%s\n", text);
    std::fflush(stdout);
  }

  Pupils taught(std::uint64_t seed) {
    auto task = Task{options_.plan.data, options_.images, options_.plan.batch, seed};
    auto const network = Mlp{{.dimensions = task.dimensions(), .width = options_.plan.width}};
    auto const D = Denoiser{network};
    auto const fresh = D.initialize(Key{seed});
    auto trainer = Trainer{DenoiserTraining{.f = D}, Adam{}, fresh, {.ema = 0.999, .clip = 1, .key = {seed}}};
    while (trainer.state().step < options_.plan.teacher_steps) trainer.step(task.batch(trainer.state().step));
    results_.teacher =
        energy_distance(draw(D, trainer.averaged(), 35, drawn(Task::samples, seed)), task.unseen());
    auto const half = Shape{Task::samples / 2, task.dimensions()};
    auto const& unseen = task.unseen();
    results_.noise = std::abs(energy_distance(unseen.view(0, half), unseen.view(half.count(), half)));
    say(example::format("seed %lld: a teacher, %.4g", static_cast<long long>(seed), results_.teacher)
            .c_str());
    return {
        std::move(task),
        {network, D, trainer.averaged(), fresh, map_of(network).initialize(Key{seed}), options_.plan.steps}};
  }

  Outcome train(Combination const& combination, std::string const& budget, std::uint64_t seed,
                Pupils& pupils) {
    Outcome outcome;
    outcome.name = combination.name();
    outcome.budget = budget;
    outcome.seed = seed;
    outcome.evaluations = combination.evaluations;
    auto const by_time = budget == "seconds";
    auto const K = by_time ? steps_in_time(outcome) : options_.plan.steps;
    auto room = pupils.room;
    room.steps = K;
    auto const measure = [&](Model const& model, Index evaluations, Index count) {
      return energy_distance(model.draw(evaluations, drawn(count, seed)), pupils.task.unseen());
    };
    try {
      auto const model = combination.make(room, seed);
      Index measured = 0;
      std::vector<double> last_losses;
      auto const done = [&] {  // the share of the budget
        return by_time ? outcome.seconds / options_.plan.seconds
                       : static_cast<double>(outcome.steps) / static_cast<double>(K);
      };
      while (done() < 1) {
        auto const batch = pupils.task.batch(outcome.steps);
        auto const before = processor_seconds();
        auto const loss = model->step(batch).loss;
        outcome.seconds += processor_seconds() - before;
        ++outcome.steps;
        if (done() > 1 - 1.0 / measurements) last_losses.push_back(loss);
        if (done() * measurements >= static_cast<double>(measured + 1)) {
          measured = static_cast<Index>(done() * measurements);
          outcome.at.push_back(outcome.steps);
          outcome.curve.push_back(measure(*model, 1, measured_on_the_way));
        }
      }
      outcome.loss = std::accumulate(last_losses.begin(), last_losses.end(), 0.0) /
                     static_cast<double>(std::max<std::size_t>(1, last_losses.size()));
      if (auto const floor = model->floor(room, pupils.task.unseen()); std::isfinite(floor))
        outcome.floor.push_back(floor);
      for (auto const evaluations : outcome.evaluations) {
        outcome.quality.push_back(measure(*model, evaluations, Task::samples));
        if (auto const& plane = pupils.task.plane())
          outcome.divergence.push_back(
              histogram_divergence(*plane, model->draw(evaluations, drawn(Task::of_plane, seed))));
      }
      if (pupils.task.plane() && !by_time && seed == 0) write_points(*model, outcome);
    } catch (numeric_error const& failure) {
      outcome.stopped = failure.what();
    } catch (dataset_error const& failure) {  // samples that cannot be measured
      outcome.stopped = failure.what();
    }
    say(example::format(
            "%-60s %-7s seed %lld  %6lld steps  %6.2f s  %s", outcome.name.c_str(), budget.c_str(),
            static_cast<long long>(seed), static_cast<long long>(outcome.steps), outcome.seconds,
            outcome.quality.empty() ? "stopped" : example::format("%.4g", outcome.quality[0]).c_str())
            .c_str());
    return outcome;
  }

  /// Samples by each number of evaluations, one below the other, as points/<name>.png.
  void write_points(Model const& model, Outcome const& of) const {
    auto const dark =
        options_.plan.data == "checkerboard" ? &CheckerboardBatches::dark : &MixtureBatches::dark;
    Image all;
    for (auto const evaluations : of.evaluations) {
      auto const one = example::scatter(model.draw(evaluations, drawn(2048, of.seed)), 1, dark);
      if (all.pixels.empty()) all = {.height = 0, .width = one.width, .channels = 3, .pixels = {}};
      all.height += one.height;
      all.pixels.insert(all.pixels.end(), one.pixels.begin(), one.pixels.end());
    }
    auto name = of.name;
    std::replace(name.begin(), name.end(), '/', '-');
    std::filesystem::create_directories(options_.out / "points");
    write_png(options_.out / "points" / (name + ".png"), all);
  }

  /// How many steps fit into the seconds, by the training of the other budget.
  Index steps_in_time(Outcome const& of) const {
    auto const* const other = results_.find(of.name, "steps", of.seed);
    auto const each = other == nullptr || other->steps == 0 ? 1.0 : 1e-3 * other->milliseconds_per_step();
    return std::max<Index>(1, static_cast<Index>(options_.plan.seconds / std::max(1e-6, each)));
  }

  QualityOptions options_;
  std::filesystem::path file_;
  Results results_;
};

}  // namespace policies
