// SPDX-License-Identifier: MIT
#pragma once

// The policies that are compared: trained in turn, each drawn from by draw(observations (n, observed),
// round).

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <consistency/consistency.hpp>
#include <consistency/sampling/warm_start.hpp>

#include "../support/text.hpp"
#include "rollout.hpp"
#include "two_regressions.hpp"

namespace pushing {

namespace cm = consistency;

struct Plan {
  Index demonstrations = 300, steps = 4500, batch = 128;
};

/// A perceptron for chunks (n, horizon, 2), which also sees where a flow map goes to if it is asked to.
class ChunkMlp {
 public:
  explicit ChunkMlp(cm::SecondTime second_time = cm::SecondTime::none)
      : mlp_{{.dimensions = 2 * horizon,
              .width = 256,
              .embedding = 64,
              .condition = {.features = observed, .second_time = second_time}}} {}

  cm::ParameterTable const& parameters() const { return mlp_.parameters(); }
  cm::Shape data_shape() const { return {horizon, 2}; }
  auto operator()(auto const& theta, cm::Value auto const& x, auto const& at,
                  cm::Mode const& mode = {}) const {
    auto const n = x.shape()[0];
    return reshape(mlp_(theta, evaluated(reshape(x, {n, 2 * horizon})), at, mode), x.shape());
  }

 private:
  cm::Mlp mlp_;
};

class Policies {
 public:
  using Draw = std::function<X(X const&, Index)>;  // chunks (n, horizon, 2)
  using Report = std::function<void(char const* name, cm::StepReport const&)>;
  /// Is shown each policy a few times along its training.
  using Look = std::function<void(char const* name, Index step, Draw const&)>;

  Policies(Plan const& plan, Demonstrations const& data, Report report, Look look)
      : plan_{plan},
        of_observations_{cm::Normalizer::standard(data.observations)},
        of_actions_{cm::Normalizer::limits(data.chunks)},
        batches_{of_observations_(data.observations), of_actions_(data.chunks), plan.batch, Key{2}},
        report_{std::move(report)},
        look_{std::move(look)} {
    teacher_rate = train(teacher_, "diffusion, 35 evaluations", diffusion(18),
                         cm::DenoiserTraining{.f = D_, .distribution = cm::LogNormalDistribution{0.0, 1.4}},
                         D_.initialize(Key{42}));
    auto const velocity = cm::TeacherVelocity{D_, teacher_->parameters()};
    student_rate = train(student_, "consistency, 1", consistency({}),
                         cm::ConsistencyDistillation{.f = f_,
                                                     .velocity = velocity,
                                                     .solver = cm::Heun{},
                                                     .metric = cm::L2{},
                                                     .times = cm::GridTimes<cm::FixedSteps>{{.N = 10}}},
                         teacher_->parameters());
    trajectory_rate =
        train(trajectory_, "CTM, 1", trajectory(1),
              cm::ConsistencyTrajectoryModel{.f = G_, .velocity = velocity, .target = {.mu = 0.99}},
              G_.initialize(Key{42}));
    map_rate = train(map_, "MeanFlow, 1", mean_flow(1), cm::MeanFlow{.f = X_, .metric = cm::L2{}},
                     X_.initialize(Key{42}));
    two_rate = train(two_, "two regressions, 2", regression(2), regressions_, D_.initialize(Key{42}));
  }

  double teacher_rate, student_rate, trajectory_rate, map_rate, two_rate;  ///< training steps a second

  Index parameters() const { return net_.parameters().count(); }

  /// The teacher, in 2 · steps − 1 evaluations.
  Draw diffusion(Index steps) const {
    return drawn([this, steps](X const& o, Index round) {
      return cm::sample(D_, *teacher_, cm::OdeSampler<cm::Heun>{.steps = steps}, settings(o, round));
    });
  }
  /// The student, in one evaluation, and one more at each of these times.
  Draw consistency(std::vector<double> const& times) const {
    return drawn([this, times](X const& o, Index round) {
      return cm::sample(f_, *student_, cm::Multistep{times}, settings(o, round));
    });
  }
  /// The same from the chunk before, noised to τ.
  Draw warm_start(double tau) const {
    return drawn([this, tau, previous = X{}](X const& o, Index round) mutable {
      auto const with = settings(o, round);
      previous = round == 0 ? cm::sample(f_, *student_, cm::OneStep{}, with)
                            : cm::sample(f_, *student_, cm::WarmStart<>{previous, executed, tau}, with);
      return previous;
    });
  }
  /// The student of whole trajectories, in so many jumps.
  Draw trajectory(Index jumps) const {
    return drawn([this, jumps](X const& o, Index round) {
      return cm::sample(G_, *trajectory_, cm::FlowMapSampler{.steps = jumps}, settings(o, round));
    });
  }
  /// The flow map, in so many jumps.
  Draw mean_flow(Index jumps) const {
    return drawn([this, jumps](X const& o, Index round) {
      return cm::sample(X_, *map_, cm::FlowMapSampler{.steps = jumps}, settings(o, round));
    });
  }
  /// One regression, or two.
  Draw regression(int evaluations) const {
    return drawn([this, evaluations](X const& o, Index) {
      return regressions_.predict(two_->parameters(), {o.shape()[0], horizon, 2}, cm::Condition<X>{o},
                                  evaluations);
    });
  }
  /// What knows nothing: actions as they come.
  Draw random() const {
    return drawn([](X const& o, Index round) {
      auto const at = cm::Counter{.step = static_cast<std::uint32_t>(round)};
      return X(2.0 * cm::uniform<float>({o.shape()[0], horizon, 2}, Key{5}, at) - 1.0);
    });
  }

 private:
  /// Trains; `averaged` is the average of θ, which draw reads. Returns steps a second.
  template <class M>
  double train(std::optional<cm::PreparedParameters<X>>& averaged, char const* name, Draw const& draw,
               M const& method, cm::Parameters<X> const& theta) {
    constexpr Index looks = 9;
    auto const optimizer = cm::AdamW{
        .learning_rate = 1e-3,
        .decay = 1e-6,
        .schedule = {.warmup = plan_.steps / 15, .decay_to = plan_.steps, .decay = cm::Decay::cosine}};
    cm::Trainer trainer{method, optimizer, theta, {.ema = 0.995, .clip = 1}};
    double seconds = 0;
    for (Index i = 0; i <= looks; ++i) {
      auto const watch = example::Stopwatch{};
      trainer.run(batches_, plan_.steps * i / looks,
                  [&](cm::StepReport const& report) { return report_(name, report), true; });
      seconds += watch.seconds();
      averaged = cm::PreparedParameters<X>{trainer.averaged()};
      look_(name, trainer.state().step, draw);
    }
    return static_cast<double>(plan_.steps) / seconds;
  }

  /// Between numbers of the task and those that networks see.
  template <class F>
  Draw drawn(F draw) const {
    return [this, draw = std::move(draw)](X const& observations, Index round) mutable {
      return of_actions_.inverse(X(draw(of_observations_(observations), round)));
    };
  }
  static cm::SampleSettings settings(X const& o, Index round) {
    auto const n = o.shape()[0];
    return {.seed = 1000 + static_cast<std::uint64_t>(round),
            .count = n,
            .batch = n,
            .condition = cm::Condition<X>{o}};
  }

  Plan plan_;
  cm::Normalizer of_observations_, of_actions_;
  DemonstrationBatches batches_;
  Report report_;
  Look look_;
  ChunkMlp net_;
  cm::VarianceExploding process_{.epsilon = 0.02, .T = 10};
  cm::Denoiser<ChunkMlp> D_{net_, cm::EdmPreconditioning{}, process_};
  cm::ConsistencyFunction<ChunkMlp> f_{net_, cm::EdmPreconditioning{}, process_};
  cm::FlowMap<ChunkMlp, cm::CtmPreconditioning, cm::VarianceExploding> G_{ChunkMlp{cm::SecondTime::gap},
                                                                          cm::CtmPreconditioning{}, process_};
  cm::FlowMap<ChunkMlp> X_{ChunkMlp{cm::SecondTime::gap}};
  TwoRegressions<Regression<ChunkMlp>> regressions_{.f = Regression{net_}};
  std::optional<cm::PreparedParameters<X>> teacher_, student_, trajectory_, map_, two_;
};

}  // namespace pushing
