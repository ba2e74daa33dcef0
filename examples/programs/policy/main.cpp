// SPDX-License-Identifier: MIT
// Trains policies of a pushing task on scripted demonstrations, and compares them: a diffusion policy, the
// consistency policy that is distilled from it, and two regressions. Options: policy --help

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include <consistency/consistency.hpp>

#include "../support/command_line.hpp"
#include "../support/text.hpp"
#include "demonstrations.hpp"
#include "rollout.hpp"
#include "two_regressions.hpp"

namespace {

using namespace pushing;
namespace cm = consistency;
using example::Stopwatch;

struct Options {
  std::filesystem::path out = "policy";
  Index demonstrations = 300, steps = 1500, batch = 128, episodes = 200;
  unsigned threads = 0;
};

struct Row {
  std::string name, evaluations;
  double steps_per_second = 0;
  Rollout rollout;
  double p50 = 0, p99 = 0;
};

int run(Options const& options) {
  if (options.threads > 0) cm::set_threads(options.threads);
  auto const watch = Stopwatch{};
  auto const data = demonstrated(options.demonstrations, Key{1});
  auto const of_observations = cm::Normalizer::standard(data.observations);
  auto const of_actions = cm::Normalizer::limits(data.chunks);
  std::printf("%td steps of %td demonstrations, of which %td succeed\n", data.chunks.shape()[0],
              data.episodes, data.solved);
  auto const batches = DemonstrationBatches{of_observations(data.observations), of_actions(data.chunks),
                                            options.batch, Key{2}};

  cm::ConditionalUNet1d const net{{.horizon = horizon,
                                   .widths = {16, 32},
                                   .time = {.scale = 100, .endpoint = true},
                                   .condition = {.features = observed}}};
  std::printf("%s parameters\n", example::grouped(net.parameters().count()).c_str());
  auto const process = cm::VarianceExploding{.epsilon = 0.02};
  cm::Denoiser const D{net, cm::EdmPreconditioning{}, process};
  cm::ConsistencyFunction const f{net, cm::EdmPreconditioning{}, process};
  auto const optimizer =
      cm::AdamW{.learning_rate = 1e-3,
                .decay = 1e-6,
                .schedule = {.warmup = 100, .decay_to = options.steps, .decay = cm::Decay::cosine}};
  auto const train = [&](auto trainer, char const* name, double& rate) {
    auto const start = Stopwatch{};
    double loss = 0;
    trainer.run(batches, options.steps, [&](cm::StepReport const& report) {
      loss += (report.loss - loss) / 100;
      if (report.step % (options.steps / 4) == 0)
        std::printf("%s: step %td, loss %.4f\n", name, report.step, loss), std::fflush(stdout);
      return true;
    });
    rate = static_cast<double>(options.steps) / start.seconds();
    return cm::PreparedParameters<X>{trainer.averaged()};
  };
  double teacher_rate = 0, student_rate = 0, mip_rate = 0;
  auto const teacher = train(
      cm::Trainer{
          cm::DenoiserTraining{.f = D}, optimizer, D.initialize(cm::Key{42}), {.ema = 0.995, .clip = 1}},
      "teacher", teacher_rate);
  auto const student =
      train(cm::Trainer{cm::ConsistencyDistillation{.f = f,
                                                    .velocity = cm::TeacherVelocity{D, teacher.parameters()},
                                                    .solver = cm::Heun{},
                                                    .metric = cm::PseudoHuber{.c = 0.03},
                                                    .times = cm::GridTimes<cm::FixedSteps>{{.N = 18}}},
                        optimizer,
                        teacher.parameters(),
                        {.ema = 0.995, .clip = 1}},
            "student", student_rate);
  TwoRegressions const mip{.f = Regression{net}};
  auto const two = train(cm::Trainer{mip, optimizer, D.initialize(cm::Key{42}), {.ema = 0.995, .clip = 1}},
                         "two regressions", mip_rate);

  auto const settings = [&](X const& observations, Index round) {
    auto const n = observations.shape()[0];
    return cm::SampleSettings{.seed = 1000 + static_cast<std::uint64_t>(round),
                              .count = n,
                              .batch = n,
                              .condition = cm::Condition<X>{of_observations(observations)}};
  };
  auto const judge = [&](char const* name, auto const& draw) {
    auto const found = rollout(options.episodes, Key{3}, [&](X const& observations, Index round) {
      return of_actions.inverse(X(draw(observations, round)));
    });
    std::printf("%-28s %td of %td, %.1f steps\n", name, found.count_solved(), options.episodes,
                found.mean_steps());
    std::fflush(stdout);
    return found;
  };
  judge("random", [&](X const& o, Index round) {
    return X(2.0 * cm::uniform<float>({o.shape()[0], horizon, 2}, cm::Key{5},
                                      {.step = static_cast<std::uint32_t>(round)}) -
             1.0);
  });
  for (Index const steps : {5, 10, 18})
    judge(example::format("teacher, %td", 2 * steps - 1).c_str(), [&](X const& o, Index round) {
      return cm::sample(D, teacher, cm::OdeSampler<cm::Heun>{.steps = steps}, settings(o, round));
    });
  judge("student, 1",
        [&](X const& o, Index round) { return cm::sample(f, student, cm::OneStep{}, settings(o, round)); });
  for (double const tau : {0.2, 0.5, 1.0, 2.0, 5.0}) {
    X previous;
    judge(example::format("student, warm %g", tau).c_str(), [&](X const& o, Index round) {
      previous = previous.defined()
                     ? cm::sample(f, student, cm::WarmStart<>{previous, executed, tau}, settings(o, round))
                     : cm::sample(f, student, cm::OneStep{}, settings(o, round));
      return previous;
    });
  }
  for (int const n : {1, 2})
    judge(example::format("regression, %d", n).c_str(), [&](X const& o, Index) {
      return mip.predict(two.parameters(), {o.shape()[0], horizon, 2}, cm::Condition<X>{of_observations(o)},
                         n);
    });
  std::printf("steps/s: teacher %.1f student %.1f mip %.1f; %.0f s\n", teacher_rate, student_rate, mip_rate,
              watch.seconds());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Options options;
    CLI::App app{"Policies of a pushing task, trained on demonstrations and compared.", "policy"};
    app.add_option("--out", options.out, "folder of pictures")->capture_default_str();
    app.add_option("--demonstrations", options.demonstrations, "episodes to learn from")
        ->capture_default_str();
    app.add_option("--steps", options.steps, "training steps of each policy")->capture_default_str();
    app.add_option("--batch", options.batch)->capture_default_str();
    app.add_option("--episodes", options.episodes, "episodes to judge by")->capture_default_str();
    app.add_option("--threads", options.threads, "0: as many as there are cores")->capture_default_str();
    if (auto const status = example::parse(app, argc, argv)) return *status;
    return run(options);
  } catch (std::exception const& failure) {
    std::fprintf(stderr, "policy: %s\n", failure.what());
    return 1;
  }
}
