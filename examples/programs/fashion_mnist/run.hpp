// SPDX-License-Identifier: MIT
#pragma once

// One run: plan it, take it up again, train, save, and show the results.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/io/apng.hpp>
#include <consistency/io/png.hpp>

#include "../support/device.hpp"
#include "../support/interrupt.hpp"
#include "../support/progress.hpp"
#include "../support/text.hpp"
#include "folder.hpp"
#include "history.hpp"
#include "options.hpp"
#include "report.hpp"
#include "subject.hpp"

namespace fashion {

/// The number of steps that fits in 92 % of the time, by the steps of a trainer that is thrown away: at least
/// 12, and as many as take 2 % of the time (but at most 10 seconds).
template <class X, class Network>
Index plan_steps(ConsistencyFunction<Network> const& f, Recipe recipe, auto& batches, double minutes) {
  constexpr Index warm_up = 4, fewest = 12;
  recipe.steps = 1000;
  auto const whole = Stopwatch{};
  auto trainer = build_trainer<X>(f, recipe);
  auto const budget = std::min(10.0, 0.02 * 60 * minutes);
  auto from = 0.0;
  Index k = 0;
  for (; k < fewest || whole.seconds() < budget; ++k) {
    if (interrupted()) return 1;
    if (k == warm_up) from = whole.seconds();
    trainer.step(to<typename X::Backend>(Batch<Tensor<float>>{batches(k)}));
  }
  auto const spent = whole.seconds(), per_step = (spent - from) / static_cast<double>(k - warm_up);
  return static_cast<Index>(std::clamp((0.92 * 60 * minutes - spent) / per_step, 1.0, 0x1p31));
}

/// A run on tensors X. Data are made and files written on the host.
template <class Subject, class X>
class Run {
 public:
  using Backend = typename X::Backend;
  using Function = ConsistencyFunction<decltype(Subject::network(Recipe{}))>;
  using Batches = decltype(Subject::open(std::declval<Recipe&>()));

  /// Plans a new run, or takes up a saved one.
  Run(Options const& options, Folder const& folder, std::optional<CheckpointFile> const& saved)
      : folder_{folder},
        quiet_{options.quiet},
        first_save_{!saved},
        recipe_{options.recipe},
        batches_{Subject::open(recipe_)},
        f_{fitting(Subject::network(recipe_), saved)},
        trainer_{build_trainer<X>(f_, planned(options.minutes))} {
    if (!saved) return;
    trainer_.resume(to<Backend>(saved->state(f_.network().parameters())));
    try {
      auto const say = [](std::string const& dropped) { std::fprintf(stderr, "%s\n", dropped.c_str()); };
      history_ = History::load(folder_.history(), recipe_, saved->step(), blank_frame(), say);
    } catch (error const& loss) {
      std::fprintf(stderr, "%s\nThe report will show only what comes from now on.\n", loss.what());
    }
  }

  bool complete() const { return step() == recipe_.steps; }

  /// Trains up to the last step, or until an interrupt, and saves.
  void train() {
    announce();
    auto progress = Progress{step(), recipe_.steps, recipe_.batch, quiet_};
    auto const before = history_.seconds;
    auto const watch = Stopwatch{};
    auto save_at = save_interval;
    if (step() == 0) attempt(progress, [&] { draw_frame(); });
    auto const batches = [&](Index k) { return to<Backend>(Batch<Tensor<float>>{batches_(k)}); };
    trainer_.run(batches, recipe_.steps, [&](StepReport const& report) {
      history_.add(report.step, report.loss);
      history_.seconds = before + watch.seconds();
      progress.update(report);
      if (frame_step(report.step, recipe_.steps)) attempt(progress, [&] { draw_frame(); });
      if (watch.seconds() >= save_at) {
        attempt(progress, [&] { save(); });
        save_at = watch.seconds() + save_interval;
      }
      return !interrupted();
    });
    if (complete()) {
      attempt(progress, [&] { save(); });  // the results still can be written
    } else {
      save();
    }
  }

  /// Everything that is to be looked at after the last step.
  void finish() const {
    save_parameters(folder_.model(), to<Cpu>(trainer_.averaged()), "averaged", step(), to_metadata(recipe_),
                    trainer_.state().key);
    Results results{.noun = Subject::noun,
                    .recipe = recipe_,
                    .device = device_name<X>(),
                    .history = history_,
                    .parameters = f_.network().parameters().count(),
                    .original = Subject::draw(originals(), 3, recipe_)};
    for (Index evaluations : {1, 2}) {
      auto const watch = Stopwatch{};
      auto const samples = preview(evaluations);
      results.sampling.push_back(watch.seconds() / static_cast<double>(preview_count()));
      results.samples.push_back(folder_ / (evaluations == 1 ? "samples_1step.png" : "samples_2step.png"));
      write_png(results.samples.back(), Subject::draw(samples, 3, recipe_));
    }
    results.animation = folder_ / "training.png";
    std::vector<Image> frames;
    frames.reserve(history_.frames.size());
    for (auto const& frame : history_.frames) frames.push_back(frame.image);
    if (!frames.empty()) write_apng(results.animation, frames, 150, 3000);
    write_report(folder_ / "report.html", results);
    summarise(results);
  }

 private:
  static constexpr double save_interval = 60;  // seconds

  /// The network, if the saved run is one of it: nothing is allocated for another.
  template <class Network>
  static Network fitting(Network network, std::optional<CheckpointFile> const& saved) {
    if (saved) saved->require_run_of(network.parameters());
    return network;
  }

  Index step() const { return trainer_.state().step; }
  Index preview_count() const { return Subject::preview(recipe_); }

  Recipe const& planned(double minutes) {
    if (recipe_.steps > 0) return recipe_;
    if (!quiet_) std::printf("Timing a few steps to plan %g minutes ...\n", minutes);
    std::fflush(stdout);
    recipe_.steps = plan_steps<X>(f_, recipe_, batches_, minutes);
    return recipe_;
  }

  /// Disks fill up and come free again: what fails is said, and training goes on.
  static void attempt(Progress& progress, auto const& write) {
    try {
      write();
    } catch (io_error const& failure) {
      progress.clear();
      std::fprintf(stderr, "%s\n", failure.what());
    }
  }

  Tensor<float> preview(Index evaluations) const {
    return to<Cpu>(
        sample(f_, trainer_.averaged(), sampler(evaluations, f_.process()),
               {.seed = recipe_.seed,
                .count = preview_count(),
                .batch = preview_count(),
                .condition = classes_by_row(recipe_, preview_count(), Subject::columns(recipe_))}));
  }

  /// As many items of the data set as a preview has, the first ones of the run.
  Tensor<float> originals() const {
    auto batches = batches_;
    auto x = Batch<Tensor<float>>{batches(0)}.x0;
    auto const one = x.count() / x.shape()[0];
    auto all = Tensor<float>{x.shape().with(0, preview_count())};
    for (Index i = 0, k = 0; i < preview_count();
         i += recipe_.batch, x = Batch<Tensor<float>>{batches(++k)}.x0) {
      auto const n = std::min(recipe_.batch, preview_count() - i);
      std::copy_n(x.data(), n * one, all.mutable_data() + i * one);
    }
    return all;
  }

  /// Of the size that frames have.
  Image blank_frame() const {
    auto shape = Shape{preview_count()};
    for (auto const extent : f_.network().data_shape()) shape.push_back(extent);
    return Subject::draw(Tensor<float>{shape, 0.0F}, 2, recipe_);
  }

  void draw_frame() {
    history_.frames.push_back({step(), Subject::draw(preview(1), 2, recipe_)});
    write_png(folder_ / "latest.png", history_.frames.back().image);
  }

  /// The history first: what it has beyond the checkpoint is dropped on resuming, what it lacks would be
  /// lost. But the first checkpoint of a run comes before everything that belongs to the run before.
  void save() {
    auto const checkpoint = [&] {
      save_checkpoint(folder_.checkpoint(), to<Cpu>(trainer_.state()), to_metadata(recipe_));
      if (std::exchange(first_save_, false)) folder_.forget_run_before();
    };
    if (first_save_) {
      checkpoint();
      return history_.save(folder_.history(), recipe_);
    }
    try {
      history_.save(folder_.history(), recipe_);
    } catch (io_error const&) {
      checkpoint();
      throw;
    }
    checkpoint();
  }

  void announce() const {
    if (quiet_) return;
    auto const place = OnHost<Backend> ? to_text(threads()) + " threads" : device_name<X>();
    std::printf("%s: %s parameters, %s steps of %s %s, seed %s, %s%s\n", recipe_.data.c_str(),
                grouped(f_.network().parameters().count()).c_str(), grouped(recipe_.steps).c_str(),
                grouped(recipe_.batch).c_str(), Subject::noun, to_text(recipe_.seed).c_str(), place.c_str(),
                step() > 0 ? (", from step " + grouped(step()) + " on").c_str() : "");
    std::printf("Watch %s grow; Ctrl-C saves and stops.\n", (folder_ / "latest.png").c_str());
    std::fflush(stdout);
  }

  void summarise(Results const& results) const {
    std::printf("Trained %s steps in %s (%.0f %s/s); one step draws a sample in %s.\n",
                grouped(recipe_.steps).c_str(), clock_text(history_.seconds).c_str(), results.per_second(),
                Subject::noun, duration_text(results.sampling[0]).c_str());
    std::printf("  report     %s\n", (folder_ / "report.html").c_str());
    std::printf("  samples    %s, %s\n", results.samples[0].c_str(), results.samples[1].c_str());
    std::printf("  animation  %s\n", results.animation.c_str());
    std::printf("  model      %s (draw more: fashion_mnist_sample --model ...)\n", folder_.model().c_str());
  }

  Folder const& folder_;
  bool quiet_;
  bool first_save_;  ///< is still to come
  Recipe recipe_;
  Batches batches_;
  Function f_;
  decltype(build_trainer<X>(std::declval<Function>(), Recipe{})) trainer_;
  History history_{recipe_.steps};
};

}  // namespace fashion
