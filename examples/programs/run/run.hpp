// SPDX-License-Identifier: MIT
#pragma once

// One run: plan it, take it up again, train, save, and show the results.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <consistency/checkpoint/model_file.hpp>
#include <consistency/condition/given.hpp>
#include <consistency/distributed/shard.hpp>
#include <consistency/io/apng.hpp>
#include <consistency/io/png.hpp>

#include "../support/cost.hpp"
#include "../support/device.hpp"
#include "../support/interrupt.hpp"
#include "../support/progress.hpp"
#include "../support/stats.hpp"
#include "../support/text.hpp"
#include "../support/time_plan.hpp"
#include "data.hpp"
#include "drawing.hpp"
#include "folder.hpp"
#include "history.hpp"
#include "learning.hpp"
#include "options.hpp"
#include "report.hpp"

namespace run {

/// A run on tensors X. Data are made and files written on the host.
template <class Subject, template <class, class> class Learns, class X>
class Run {
 public:
  using Backend = typename X::Backend;
  using Network = typename Subject::Network;
  using Learning = Learns<Network, X>;
  using Function = typename Learning::Function;

  /// Plans a new run, or takes up a saved one.
  Run(Options const& options, Folder const& folder, std::optional<CheckpointFile> const& saved,
      Processes const& processes)
      : options_{options},
        folder_{folder},
        processes_{processes},
        first_save_{!saved},
        recipe_{options.recipe},
        data_{Subject::open(
            recipe_, options.dry_run || !first() ? std::filesystem::path{} : folder_ / "images.safetensors")},
        f_{fitting(build<Network>(recipe_), saved)},
        learning_{recipe_, f_.network()} {
    if (options.dry_run) return;
    if (recipe_.steps == 0) plan();
    history_.emplace(recipe_.steps);
    make_trainer();
    if (!saved) return;
    trainer_->resume(to<Backend>(saved->state(f_.network().parameters())));
    try {
      auto const say = [](std::string const& dropped) { std::fprintf(stderr, "%s\n", dropped.c_str()); };
      history_ = History::load(folder_.history(), recipe_, saved->step(), blank_frame(), say);
    } catch (error const& loss) {
      std::fprintf(stderr, "%s\nThe report will show only what comes from now on.\n", loss.what());
    }
  }

  bool complete() const { return step() == recipe_.steps; }

  /// Says what the run would cost, in place of the run.
  void show_cost() const {
    auto r = recipe_;
    if (r.steps == 0) r.steps = 1000;
    auto const batch = data_.batches(0);
    auto const at_once = r.micro_batch > 0 ? std::min(r.micro_batch, r.batch) : r.batch;
    r.micro_batch = 0;
    auto trainer = build_trainer<X>(learning_, f_, r, processes_);
    auto const some = [&](Index n) { return to<Backend>(batch.rows(0, n)); };
    auto const cost = measured_cost(
        {.step = [&](Index n) { trainer.step(some(n)); },
         .evaluate =
             [&](Index n) {
               auto const x = some(n);
               X const t(x.x0.shape().per_sample(), 1.0F);
               static_cast<void>(with_condition(f_, x.condition)(trainer.theta(), x.x0, t));
             },
         .draw =  // three evaluations take the memory of all
         [&](Index n) { static_cast<void>(drawn(trainer.averaged(), 3, n, std::min<Index>(n, 64))); }},
        recipe_.batch, at_once);
    print(cost, f_.network().parameters().count(), recipe_.steps, recipe_.minutes, data_.count);
  }

  /// Trains up to the last step, or until an interrupt, and saves.
  void train() {
    announce();
    auto progress = Progress{step(), recipe_.steps, recipe_.batch, options_.quiet || !first()};
    std::optional<Stats> stats;
    if (first()) stats.emplace(folder_.stats(), step());
    if (step() == 0) attempt(progress, [&] { draw_frame(); });
    auto const drawing = recipe_.minutes > 0 ? seconds_of_drawing() : 0;
    auto const earlier = history_->seconds;
    auto const before = whole_.seconds();
    auto const watch = Stopwatch{};
    auto plan = TimePlan{60 * recipe_.minutes - drawing, recipe_.steps, earlier + before, step()};
    auto save_at = save_interval;
    auto const batches = [&](Index k) { return to<Backend>(shard(data_.batches(k), processes_)); };
    auto stopped = any(processes_, interrupted());
    while (!complete() && !stopped) {
      auto K = recipe_.steps;
      trainer_->run(batches, recipe_.steps, [&](StepReport const& report) {
        history_->add(report.step, report.loss);
        history_->seconds = earlier + watch.seconds();
        progress.update(report);
        if (stats) stats->add(report, history_->seconds, recipe_.batch);
        if (frame_step(report.step, recipe_.steps)) attempt(progress, [&] { draw_frame(); });
        if (watch.seconds() >= save_at) {
          attempt(progress, [&] { save(); });
          save_at = watch.seconds() + save_interval;
        }
        stopped = any(processes_, interrupted());
        if (recipe_.minutes > 0) K = corrected(plan, history_->seconds + before, report.step);
        return !stopped && K == recipe_.steps;
      });
      if (K == recipe_.steps) continue;
      recipe_.steps = K;
      make_trainer();
      progress.plan(K);
    }
    if (complete()) {
      attempt(progress, [&] { save(); });  // the results still can be written
    } else if (first()) {
      save();
    }
  }

  /// Everything that is to be looked at after the last step, by the first process.
  void finish() const {
    if (!first()) return;
    save_model(folder_.model(), Model{f_, to<Cpu>(trainer_->averaged())}, step(), to_metadata(recipe_),
               trainer_->state().key);
    Results results{.noun = Subject::noun,
                    .recipe = recipe_,
                    .stages = Learning::stages(recipe_),
                    .device = device_name<X>(),
                    .history = *history_,
                    .parameters = f_.network().parameters().count(),
                    .original = Subject::draw(originals(), zoom(3), recipe_)};
    for (auto const evaluations : shown_evaluations(f_)) {
      auto const watch = Stopwatch{};
      auto const samples = preview(evaluations);
      results.drawn.push_back({evaluations, folder_ / ("samples_" + to_text(evaluations) + "step.png"),
                               watch.seconds() / static_cast<double>(preview_count())});
      write_png(results.drawn.back().file, Subject::draw(samples, zoom(3), recipe_));
    }
    results.animation = folder_ / "training.png";
    std::vector<Image> frames;
    frames.reserve(history_->frames.size());
    for (auto const& frame : history_->frames) frames.push_back(frame.image);
    if (!frames.empty()) write_apng(results.animation, frames, 150, 3000);
    write_report(folder_ / "report.html", results);
    summarise(results);
  }

 private:
  using TrainerOfRun = decltype(build_trainer<X>(std::declval<Learning>(), std::declval<Function>(), Recipe{},
                                                 std::declval<Processes>()));
  static constexpr double save_interval = 60;  // seconds

  /// The network, if the saved run is one of it: nothing is allocated for another.
  static Network fitting(Network network, std::optional<CheckpointFile> const& saved) {
    if (saved) saved->require_run_of(network.parameters());
    return network;
  }

  Index step() const { return trainer_->state().step; }
  Index preview_count() const { return Subject::preview(recipe_); }
  /// Small images are shown larger.
  Index zoom(Index most) const {
    return std::clamp<Index>(28 * most / std::max<Index>(1, recipe_.height), 1, most);
  }

  /// The number of steps that fits in 92 % of the time, by the steps of a trainer that is thrown away: at
  /// least 12, and as many as take 2 % of the time (but at most 10 seconds).
  void plan() {
    constexpr Index warm_up = 4, fewest = 12;
    auto const seconds = 60 * recipe_.minutes;
    if (!options_.quiet && first())
      std::printf("Timing a few steps to plan %g minutes ...\n", recipe_.minutes);
    std::fflush(stdout);
    recipe_.steps = 1000;
    auto const whole = Stopwatch{};
    auto trainer = build_trainer<X>(learning_, f_, recipe_, processes_);
    auto from = 0.0;
    Index k = 0;
    auto stop = any(processes_, interrupted());
    for (; !stop && (k < fewest || of_first(processes_, whole.seconds()) < std::min(10.0, 0.02 * seconds));
         ++k) {
      if (k == warm_up) from = whole.seconds();
      trainer.step(to<Backend>(shard(data_.batches(k), processes_)));
      stop = any(processes_, interrupted());
    }
    auto const spent = whole.seconds(),
               per_step = (spent - from) / static_cast<double>(std::max<Index>(1, k - warm_up));
    auto const steps = stop ? 1.0 : std::clamp((0.92 * seconds - spent) / per_step, 1.0, 0x1p31);
    recipe_.steps = static_cast<Index>(of_first(processes_, std::floor(steps)));
  }

  /// K by the plan of the first process.
  Index corrected(TimePlan& plan, double spent, Index step) const {
    auto const stage = [&](Index K) { return Learning::stage(with_steps(recipe_, K), step); };
    return static_cast<Index>(of_first(processes_, static_cast<double>(plan.steps(spent, step, stage))));
  }

  /// Of all sheets of samples at the end.
  double seconds_of_drawing() const {
    auto const shown = shown_evaluations(f_);
    auto const watch = Stopwatch{};
    static_cast<void>(preview(shown.front()));
    auto const all = std::accumulate(shown.begin(), shown.end(), Index{0});
    return watch.seconds() * static_cast<double>(all) / static_cast<double>(shown.front());
  }

  /// The trainer of the recipe, at the state of the one before.
  void make_trainer() {
    std::optional<TrainingState<X>> state;
    if (trainer_) state = trainer_->state();
    trainer_.reset();
    trainer_.reset(new TrainerOfRun{build_trainer<X>(learning_, f_, recipe_, processes_)});
    if (state) trainer_->resume(*std::move(state));
  }

  bool first() const { return processes_.rank() == 0; }

  /// The first process writes. Disks fill up and come free again: what fails is said, and training goes on.
  void attempt(Progress& progress, auto const& write) const {
    if (!first()) return;
    try {
      write();
    } catch (io_error const& failure) {
      progress.clear();
      std::fprintf(stderr, "%s\n", failure.what());
    }
  }

  /// At most `at_once` at a time: drawing takes no more memory than training.
  Tensor<float> drawn(Parameters<X> const& theta, Index evaluations, Index at_once, Index count) const {
    return to<Cpu>(sample(f_, theta, sampler(f_, evaluations),
                          {.seed = recipe_.seed,
                           .count = count,
                           .batch = std::min<Index>(at_once, 64),
                           .condition = condition_of(recipe_, count, Subject::columns(recipe_))}));
  }
  /// Training and drawing take turns with the memory: their blocks are of other sizes.
  Tensor<float> preview(Index evaluations) const {
    MemoryPool::instance().trim();
    auto const at_once = recipe_.micro_batch > 0 ? recipe_.micro_batch : recipe_.batch;
    auto samples = drawn(trainer_->averaged(), evaluations, at_once, preview_count());
    MemoryPool::instance().trim();
    return samples;
  }

  /// As many items of the data set as a preview has, the first ones of the run.
  Tensor<float> originals() const {
    auto x = data_.originals(0).x0;
    auto const one = x.count() / x.shape()[0];
    auto all = Tensor<float>{x.shape().with(0, preview_count())};
    for (Index i = 0, k = 0; i < preview_count(); i += recipe_.batch, x = data_.originals(++k).x0) {
      auto const n = std::min(recipe_.batch, preview_count() - i);
      std::copy_n(x.data(), n * one, all.mutable_data() + i * one);
    }
    return all;
  }

  /// Of the size that frames have.
  Image blank_frame() const {
    auto const shape = f_.network().data_shape().samples(preview_count());
    return Subject::draw(Tensor<float>{shape, 0.0F}, zoom(2), recipe_);
  }

  void draw_frame() {
    history_->frames.push_back(
        {step(), Subject::draw(preview(shown_evaluations(f_).front()), zoom(2), recipe_)});
    write_png(folder_ / "latest.png", history_->frames.back().image);
  }

  /// The history first: what it has beyond the checkpoint is dropped on resuming, what it lacks would be
  /// lost. But the first checkpoint of a run comes before everything that belongs to the run before.
  void save() {
    auto const checkpoint = [&] {
      save_checkpoint(folder_.checkpoint(), to<Cpu>(trainer_->state()), to_metadata(recipe_),
                      describe_model(f_));
      if (std::exchange(first_save_, false)) folder_.forget_run_before();
    };
    if (first_save_) {
      checkpoint();
      return history_->save(folder_.history(), recipe_);
    }
    try {
      history_->save(folder_.history(), recipe_);
    } catch (io_error const&) {
      checkpoint();
      throw;
    }
    checkpoint();
  }

  void announce() const {
    if (options_.quiet || !first()) return;
    auto const place = OnHost<Backend> ? to_text(threads()) + " threads" : device_name<X>();
    std::printf("%s: %s parameters, %s steps of %s %s, seed %s, %s%s\n", recipe_.data.c_str(),
                grouped(f_.network().parameters().count()).c_str(), grouped(recipe_.steps).c_str(),
                grouped(recipe_.batch).c_str(), Subject::noun, to_text(recipe_.seed).c_str(), place.c_str(),
                step() > 0 ? (", from step " + grouped(step()) + " on").c_str() : "");
    std::printf("Watch %s grow; Ctrl-C saves and stops.\n", (folder_ / "latest.png").c_str());
    std::fflush(stdout);
  }

  void summarise(Results const& results) const {
    std::printf("Trained %s steps in %s (%.0f %s/s); %s evaluation%s a sample in %s.\n",
                grouped(recipe_.steps).c_str(), clock_text(history_->seconds).c_str(), results.per_second(),
                Subject::noun,
                results.drawn[0].evaluations == 1 ? "one" : to_text(results.drawn[0].evaluations).c_str(),
                results.drawn[0].evaluations == 1 ? " draws" : "s draw",
                duration_text(results.drawn[0].seconds).c_str());
    std::printf("  report     %s\n", (folder_ / "report.html").c_str());
    for (auto const& drawn : results.drawn) std::printf("  samples    %s\n", drawn.file.c_str());
    std::printf("  animation  %s\n", results.animation.c_str());
    std::printf("  model      %s (draw more: %s --model ...)\n", folder_.model().c_str(),
                options_.sample.c_str());
  }

  Stopwatch whole_;  // from the beginning of the program's work
  Options const& options_;
  Folder const& folder_;
  Processes processes_;
  bool first_save_;  ///< is still to come
  Recipe recipe_;
  Data data_;
  Function f_;
  Learning learning_;
  std::unique_ptr<TrainerOfRun> trainer_;
  std::optional<History> history_;
};

}  // namespace run
