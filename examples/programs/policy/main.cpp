// SPDX-License-Identifier: MIT
// Trains policies of a pushing task on scripted demonstrations, and compares them: a diffusion policy, the
// consistency policy that is distilled from it, CTM and MeanFlow policies, and two regressions.
// Options: policy --help

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <consistency/io/apng.hpp>

#include "../support/command_line.hpp"
#include "curves.hpp"
#include "picture.hpp"
#include "policies.hpp"

namespace {

using namespace pushing;

struct Options {
  std::filesystem::path out = "policy";
  Plan plan;
  Index episodes = 200;
  unsigned threads = 0;
};

struct Quantiles {
  double p50, p99;
};

/// Seconds of one decision, from observations to actions of one robot, on one core.
Quantiles latency(Policies::Draw draw, int repeats) {
  auto const threads = cm::threads();
  cm::set_threads(1);
  X const observations({1, observed}, 0.3F);
  std::vector<double> seconds;
  for (int i = -20; i < repeats; ++i) {
    auto const watch = example::Stopwatch{};
    draw(observations, i + 20);
    if (i >= 0) seconds.push_back(watch.seconds());
  }
  cm::set_threads(threads);
  std::sort(seconds.begin(), seconds.end());
  return {seconds[seconds.size() / 2], seconds[seconds.size() * 99 / 100]};
}

int run(Options const& options) {
  if (options.threads > 0) cm::set_threads(options.threads);
  auto const watch = example::Stopwatch{};
  auto const data = demonstrated(options.plan.demonstrations, Key{1});
  std::printf("%s steps of %s demonstrations, of which %s succeed\n",
              example::grouped(data.chunks.shape()[0]).c_str(), example::grouped(data.episodes).c_str(),
              example::grouped(data.solved).c_str());
  std::vector<Curve> curves;
  Policies const policies{options.plan, data,
                          [&](char const* name, cm::StepReport const& report) {
                            if (report.step % std::max<Index>(1, options.plan.steps / 4) != 0) return;
                            std::printf("%-25s step %5s  loss %.4f\n", name,
                                        example::grouped(report.step).c_str(), report.loss);
                            std::fflush(stdout);
                          },
                          [&](char const* name, Index step, Policies::Draw const& draw) {
                            if (curves.empty() || curves.back().name != name) curves.push_back({name, {}});
                            auto const solved = rollout(options.episodes, Key{3}, draw).count_solved();
                            curves.back().points.emplace_back(
                                step, static_cast<double>(solved) / static_cast<double>(options.episodes));
                          }};
  std::printf("%s parameters, trained in %s\n\n", example::grouped(policies.parameters()).c_str(),
              example::clock_text(watch.seconds()).c_str());

  std::printf(
      "| policy | evaluations | solved of %s | steps of an episode | training steps/s | p50 | p99 |\n"
      "|---|---|---|---|---|---|---|\n",
      example::grouped(options.episodes).c_str());
  auto const judge = [&](char const* name, int evaluations, Policies::Draw const& draw, double rate) {
    auto const found = rollout(options.episodes, Key{3}, draw);
    auto const time = latency(draw, 4000 / std::max(2, evaluations));
    std::printf("| %s | %d | %td | %.0f | %s | %s | %s |\n", name, evaluations, found.count_solved(),
                found.mean_steps(), rate > 0 ? example::format("%.0f", rate).c_str() : "",
                example::duration_text(time.p50).c_str(), example::duration_text(time.p99).c_str());
    std::fflush(stdout);
    return found;
  };
  std::vector<Rollout> shown;
  judge("random actions", 0, policies.random(), 0);
  shown.push_back(judge("diffusion policy", 35, policies.diffusion(18), policies.teacher_rate));
  judge("diffusion policy", 9, policies.diffusion(5), 0);
  shown.push_back(judge("consistency policy", 1, policies.consistency({}), policies.student_rate));
  judge("the same", 2, policies.consistency({0.5}), 0);
  judge("the same, warm start", 1, policies.warm_start(2), 0);
  judge("CTM policy", 1, policies.trajectory(1), policies.trajectory_rate);
  judge("the same", 2, policies.trajectory(2), 0);
  judge("MeanFlow policy", 1, policies.mean_flow(1), policies.map_rate);
  judge("the same", 2, policies.mean_flow(2), 0);
  judge("one regression", 1, policies.regression(1), 0);
  shown.push_back(judge("two regressions (MIP)", 2, policies.regression(2), policies.two_rate));

  auto const columns = std::min<Index>(6, options.episodes);
  std::filesystem::create_directories(options.out);
  Curves{std::move(curves), options.plan.steps}.write(options.out / "curves.svg");
  cm::write_png(options.out / "episodes.png", ways(shown, columns, 150));
  cm::write_apng(options.out / "episodes.apng", frames(shown, columns, 100, 2), 80, 1500);
  std::printf("\n%s in all; pictures are in %s\n", example::clock_text(watch.seconds()).c_str(),
              options.out.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    CLI::App app{"Trains policies of a pushing task on demonstrations, and compares them.", "policy"};
    app.add_option("--out", options.out, "folder of the pictures")->capture_default_str();
    app.add_option("--demonstrations", options.plan.demonstrations, "episodes to learn from")
        ->capture_default_str();
    app.add_option("--steps", options.plan.steps, "training steps of each policy")->capture_default_str();
    app.add_option("--batch", options.plan.batch, "chunks of a training step")->capture_default_str();
    app.add_option("--episodes", options.episodes, "episodes to judge by")->capture_default_str();
    app.add_option("--threads", options.threads, "0: as many as there are cores")->capture_default_str();
    if (auto const status = example::parse(app, {"--out policies", "--steps 2000 --episodes 50"}, argc, argv))
      return *status;
    return run(options);
  } catch (std::exception const& failure) {
    return example::failed("policy", argc, argv, failure);
  }
}
