// SPDX-License-Identifier: MIT
#pragma once

// Trains the teacher and one student after the other, measures them on the way, and keeps what it has on
// disk.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/io/png.hpp>
#include <consistency/io/torch_parameters.hpp>

#include "../support/interrupt.hpp"
#include "../support/progress.hpp"
#include "../support/text.hpp"
#include "options.hpp"
#include "plan.hpp"
#include "policy.hpp"
#include "record.hpp"

namespace compare {

using namespace example;

/// A teacher, students and their common budget. Interrupted, `run` saves and returns nothing; another
/// comparison in the same folder goes on where it stopped.
template <class Subject>
class Comparison {
 public:
  Comparison(Options const& options, Plan plan)
      : options_{options},
        plan_{std::move(plan)},
        subject_{plan_},
        f_{subject_.network()},
        D_{subject_.network()} {}

  std::optional<Summary> run(std::vector<Policy> const& policies) {
    complete_plan();
    auto teacher = train_teacher();
    if (!teacher) return std::nullopt;
    auto const classroom = Classroom<Network>{
        f_, D_, teacher->second, f_.initialize(Key{plan_.seed}), plan_.steps, perceptual()};
    auto summary = Summary{plan_,
                           {Subject::measures.begin(), Subject::measures.end()},
                           noise(),
                           {"teacher", "teacher", teacher->first},
                           {}};
    for (auto const& policy : policies) {
      say("[%zu/%zu] %s", summary.students.size() + 1, policies.size(), policy.label.c_str());
      auto record = std::visit(
          [&](auto const& parts) { return train_student(policy.name, parts, classroom); }, policy.made_of);
      if (!record) return std::nullopt;
      summary.students.push_back({policy.name, policy.label, std::move(*record)});
    }
    return summary;
  }

 private:
  using Network = decltype(std::declval<Subject>().network());
  using Weights = Parameters<Tensor<float>>;
  static constexpr double save_interval = 60;  // seconds

  /// LPIPS over the plan's network.
  std::optional<Perceptual> perceptual() const {
    if (plan_.perceptual.empty()) return std::nullopt;
    auto const net = ResNet20{};
    return Perceptual{GreyResNet20{{net, read_torch_parameters(plan_.perceptual, net.parameters(),
                                                               {.ignored = {"*num_batches_tracked"}})}},
                      uniform_heads(ResNet20::channels)};
  }

  std::filesystem::path file(std::string const& name) const { return options_.out / name; }

  void say(char const* pattern, auto... values) const {
    if (options_.quiet) return;
    std::printf("%s\n", format(pattern, values...).c_str());
    std::fflush(stdout);
  }

  TrainerSettings trainer_settings() const {
    return {.ema = plan_.ema, .clip = plan_.clip, .key = {plan_.seed}};
  }

  /// Settles how many steps there are, and writes the plan.
  void complete_plan() {
    if (plan_.teacher_steps == 0) {
      say("Timing a few steps to plan %g minutes for the teacher ...", options_.teacher_minutes);
      plan_.teacher_steps = steps_within(options_.teacher_minutes, DenoiserTraining{.f = D_});
    }
    if (plan_.steps == 0) {
      say("Timing a few steps of CT to plan %g minutes for each student ...", options_.minutes);
      plan_.steps = steps_within(
          options_.minutes, ConsistencyTraining{.f = f_, .metric = L2{}, .times = GridTimes<FixedSteps>{}});
    }
    plan_.save(file("plan.json"));
  }

  Index steps_within(double minutes, auto method) {
    constexpr Index warm_up = 4, timed = 12;
    auto trainer = Trainer{std::move(method), student_optimizer(plan_), f_.initialize(Key{plan_.seed})};
    for (Index k = 0; k < warm_up; ++k) trainer.step(subject_.batch(k));
    auto const watch = Stopwatch{};
    for (Index k = 0; k < timed; ++k) trainer.step(subject_.batch(k));
    return static_cast<Index>(std::clamp(60 * minutes / (watch.seconds() / timed), 1.0, 0x1p31));
  }

  /// The teacher's record, and φ.
  std::optional<std::pair<Record, Weights>> train_teacher() {
    say("[%s] %s", "teacher", "EDM denoiser");
    auto const record = train("teacher", DenoiserTraining{.f = D_}, teacher_optimizer(plan_),
                              D_.initialize(Key{plan_.seed}), plan_.teacher_steps, 1, OdeSampler<Heun>{});
    if (!record) return std::nullopt;
    if (!record->stopped.empty())
      fail<numeric_error>("teacher", "training stopped", record->stopped, "a teacher to distill");
    return std::pair{*record,
                     load_parameters(file("teacher.safetensors"), D_.network().parameters(), "averaged")};
  }

  std::optional<Record> train_student(std::string const& name, auto const& parts, auto const& classroom) {
    return train(name, parts.method(classroom), student_optimizer(plan_), parts.start(classroom), plan_.steps,
                 plan_.measurements, parts.sampler());
  }

  /// Trains for `steps` steps, and measures `measurements` times on the way.
  std::optional<Record> train(std::string const& name, auto method, RAdam optimizer, Weights const& theta0,
                              Index steps, Index measurements, auto const& sampler) {
    auto const finished = file(name + ".safetensors"), half = file(name + ".checkpoint.safetensors");
    if (consistency::detail::is_there(finished.native())) {
      auto record = read_record(CheckpointFile{finished});
      announce(record);
      return record;
    }
    auto trainer = Trainer{std::move(method), optimizer, theta0, trainer_settings()};
    Record record;
    if (has_checkpoint(half)) {
      auto const saved = newest_checkpoint(half);
      for (auto const& passed : saved.passed) std::fprintf(stderr, "%s\n", passed.message.c_str());
      record = read_record(saved.file);
      trainer.resume(saved.file.state(theta0.table()));
    }
    auto const draw = [&](Index count) {
      return sample(trainer.method().f, trainer.averaged(), sampler,
                    {.seed = plan_.seed, .count = count, .batch = plan_.batch});
    };
    try {
      auto progress = Progress{record.done, steps, plan_.batch, options_.quiet};
      auto save_at = record.seconds + save_interval;
      while (record.done < steps && !interrupted()) {
        auto const x = subject_.batch(record.done);
        auto const watch = Stopwatch{};
        auto const report = trainer.step(x);
        record.seconds += watch.seconds();
        record.done = report.step;
        progress.update(report);
        if (report.step * measurements / steps > (report.step - 1) * measurements / steps) {
          record.quality.push_back(finite(subject_.measure(draw(Subject::samples))));
          record.steps.push_back(report.step);
        }
        if (record.seconds >= save_at) {
          save_checkpoint(half, trainer.state(), settings(record));
          save_at = record.seconds + save_interval;
        }
      }
    } catch (numeric_error const& failure) {
      record.stopped = failure.what();
    } catch (dataset_error const& failure) {  // samples that cannot be measured
      record.stopped = failure.what();
    }
    if (record.done < steps && record.stopped.empty()) {
      save_checkpoint(half, trainer.state(), settings(record));
      return std::nullopt;
    }
    if (record.stopped.empty())
      write_png(file("samples_" + name + ".png"), subject_.draw(draw(Subject::preview)));
    save_parameters(finished, trainer.averaged(), "averaged", record.done, settings(record), {plan_.seed});
    remove_checkpoints(half);
    announce(record);
    return record;
  }

  /// Throws numeric_error for a quality that no record can have.
  static Quality finite(Quality quality) {
    for (auto const value : quality)
      if (!std::isfinite(value))
        fail<numeric_error>("compare_methods", "quality of the samples", number_text(value),
                            "a finite number");
    return quality;
  }

  Metadata settings(Record const& record) const {
    return {{"plan", plan_.text()}, {"record", nlohmann::json(record).dump()}};
  }

  /// Throws mismatch_error for a file of another comparison.
  Record read_record(CheckpointFile const& saved) const {
    auto const& all = saved.settings();
    auto const plan = all.find("plan"), record = all.find("record");
    if (plan == all.end() || plan->second != plan_.text() || record == all.end())
      fail<mismatch_error>(options_.out.string(), "a trained policy of another comparison", "another plan",
                           "that of plan.json", "Choose another --out.");
    try {
      auto read = nlohmann::json::parse(record->second).template get<Record>();
      read.check(Subject::measures.size());
      return read;
    } catch (nlohmann::json::exception const& failure) {
      fail<format_error>(options_.out.string(), "record of a trained policy", printable(failure.what()),
                         "what compare_methods writes", "Choose another --out.");
    }
  }

  void announce(Record const& record) const {
    if (!record.stopped.empty())
      say("  stopped after %s steps: %s", grouped(record.done).c_str(), record.stopped.c_str());
    if (!record.measured()) return;
    say("  %s steps, %s, %s %.4g", grouped(record.done).c_str(), clock_text(record.seconds).c_str(),
        Subject::measures[0], record.final_quality());
  }

  double noise() const {
    constexpr Index sets = 4;
    double sum = 0;
    for (Index i = 0; i < sets; ++i) sum += std::abs(subject_.measure(subject_.unseen(i)).front());
    return sum / sets;
  }

  Options const& options_;
  Plan plan_;
  Subject subject_;
  ConsistencyFunction<Network> f_;
  Denoiser<Network> D_;
};

}  // namespace compare
