// SPDX-License-Identifier: MIT
#pragma once

// What a run trains: the form of its network, the method, the optimizer and the weights to begin with.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <consistency/metric/lpips.hpp>
#include <consistency/network/feature_extractor.hpp>
#include <consistency/network/vgg16.hpp>
#include <consistency/optimizer/muon.hpp>

#include "network.hpp"
#include "processes.hpp"
#include "teacher.hpp"

namespace run {

/// A part of a run whose losses can be compared with each other.
struct Stage {
  Index begin;  ///< step
  std::string label;
};

/// d(x, y) of the setting `metric`, chosen when the program starts.
template <class X>
class ChosenMetric {
 public:
  using Numbers = X;

  explicit ChosenMetric(Recipe const& r, Shape const& data) : metric_{chosen(r, data)} {}

  template <Operand A, Operand B>
    requires std::same_as<tensor_of_t<value_t<A>>, X>
  auto operator()(A const& x, B const& y) const {
    return std::visit([&](auto const& metric) { return evaluated(metric(x, y)); }, metric_);
  }

 private:
  using Perceptual = Lpips<FeatureExtractor<Vgg16, X>, X>;
  using Any = std::variant<PseudoHuber, L1, L2, Perceptual>;

  static Any chosen(Recipe const& r, Shape const& data) {
    require_one_of("metric", r.metric, {"huber", "l1", "l2", "lpips"});
    if (r.metric == "l1") return L1{};
    if (r.metric == "l2") return L2{};
    if (r.metric == "huber") return PseudoHuber{r.huber * std::sqrt(static_cast<double>(data.count()))};
    using Backend = typename X::Backend;
    auto const vgg16 = Vgg16{};
    if (r.lpips.empty() && r.dry_run)
      return Perceptual{{vgg16, Parameters<X>::initialized(vgg16.parameters(), Key{})},
                        uniform_heads<X>(Vgg16::channels)};
    auto const comma = r.lpips.find(',');
    if (comma == std::string::npos)
      fail<config_error>("recipe", "setting 'lpips'", "'" + printable(r.lpips) + "'",
                         "two files, of VGG16 and of LPIPS's heads, for metric = lpips",
                         "Give them (--lpips VGG16.safetensors HEADS.safetensors), or take another metric: "
                         "--set metric=huber.");
    auto const heads = lpips_heads_table(Vgg16::channels);
    auto const trunk =
        read_torch_parameters(r.lpips.substr(0, comma), vgg16.parameters(), {.ignored = {"classifier.*"}});
    auto const learned = read_torch_parameters(r.lpips.substr(comma + 1), heads);
    return Perceptual{{vgg16, to<Backend>(trunk)}, lpips_heads(to<Backend>(learned))};
  }

  Any metric_;
};

inline RateSchedule build_rate(Recipe const& r) {
  auto const from = share("decay_from", r.decay_from, r);
  return {.warmup = r.warm_up, .decay_from = from, .decay_to = from < r.steps ? r.steps : 0};
}

inline RAdam build_radam(Recipe const& r) {
  return {.learning_rate = r.learning_rate, .beta2 = r.beta2, .schedule = build_rate(r)};
}

/// Kernels and matrices at their own rate; biases and scales as AdamW moves them.
inline Muon build_muon(Recipe const& r) {
  auto const schedule = build_rate(r);
  return {.learning_rate = r.matrix_rate,
          .schedule = schedule,
          .rest = {.learning_rate = r.learning_rate, .beta2 = r.beta2, .decay = 0, .schedule = schedule}};
}

inline Average build_average(Recipe const& r) {
  if (r.half_life > 0) return Average::half_life(r.half_life / static_cast<double>(r.batch));
  if (r.ema_window == 0) return Average::constant(r.ema);
  auto const window = std::max(1.0, r.ema_window * static_cast<double>(r.steps));
  return Average::warm_up(std::min(r.ema, 1 - 1 / window));
}

inline GapTimes build_times(Recipe const& r) {
  GapTimes times;
  times.distribution = {r.law_mean, r.law_deviation};
  times.q = r.q;
  times.kappa = r.kappa;
  times.denoising = share("denoising", r.denoising, r);
  times.stage_steps = std::max<Index>(1, share("stage", r.stage, r));
  times.stages = r.stages;
  return times;
}

/// Stages of `stage_of(k)`, a number that never falls, each with its label.
inline std::vector<Stage> stages_of(Recipe const& r, auto const& stage_of, auto const& label) {
  std::vector<Stage> all;
  for (Index k = 0; k < r.steps;) {
    all.push_back({k, label(k)});
    auto const stage = stage_of(k);
    auto same = k, other = r.steps;  // the next stage begins between them
    while (other - same > 1) {
      auto const middle = same + (other - same) / 2;
      (stage_of(middle) == stage ? same : other) = middle;
    }
    k = other;
  }
  return all;
}

/// CT with a gap between the two times that halves stage by stage (Geng et al. 2024).
template <class N, class X>
struct GapTraining {
  using Function = ConsistencyFunction<N>;
  GapTraining(Recipe const&, N const&) {}

  auto method(Function const& f, Recipe const& r) const {
    auto const c = r.huber * std::sqrt(static_cast<double>(f.network().data_shape().count()));
    return ConsistencyTraining{
        .f = f, .metric = PseudoHuber{c}, .times = build_times(r), .weighting = InverseGapWeighting{}};
  }
  Muon optimizer(Recipe const& r) const { return build_muon(r); }
  Parameters<X> start(Function const& f, Key key) const { return f.template initialize<X>(key); }
  static Index stage(Recipe const& r, Index k) { return build_times(r).stage(k); }
  static std::vector<Stage> stages(Recipe const& r) {
    auto const times = build_times(r);
    return stages_of(
        r, [&](Index k) { return times.stage(k); },
        [&](Index k) {
          return times.stage(k) == 0 ? std::string{"denoising"} : format("N = %g", times.resolution(k));
        });
  }
};

/// CT on grids of N(k) points, with θ⁻ an average of θ at the rate μ(k) (Song et al. 2023, Algorithm 3,
/// Appendix C; μ as the authors' programs have it).
template <class N, class X>
struct GridTraining {
  using Function = ConsistencyFunction<N>;
  GridTraining(Recipe const&, N const&) {}

  auto method(Function const& f, Recipe const& r) const {
    return ConsistencyTraining{
        .f = f,
        .metric = ChosenMetric<X>{r, f.network().data_shape()},
        .times = GridTimes<AdaptiveSteps>{steps(r)},
        .weighting = UniformWeighting{},
        .target = AdaptiveEmaTarget{
            .s0 = static_cast<double>(r.s0), .mu0 = r.mu0, .denominator = Denominator::intervals}};
  }
  RAdam optimizer(Recipe const& r) const { return build_radam(r); }
  Parameters<X> start(Function const& f, Key key) const { return f.template initialize<X>(key); }
  static Index stage(Recipe const&, Index) { return 0; }
  static std::vector<Stage> stages(Recipe const& r) {
    return {{0, "N = " + to_text(steps(r).points(0)) + " to " + to_text(steps(r).points(r.steps))}};
  }

 private:
  static AdaptiveSteps steps(Recipe const& r) { return {.s0 = r.s0, .s1 = r.s1, .K = r.steps}; }
};

/// A grid of N points with weight 1 as the paper has it, or, where N is 0, gaps that halve stage by stage
/// with weight 1 / gap: chosen when the program starts.
class DistillationTimes {
 public:
  explicit DistillationTimes(Recipe const& r) {
    if (r.N > 0)
      times_ = GridTimes<FixedSteps>{{.N = r.N}};
    else
      times_ = build_times(r);
  }

  bool gaps() const { return std::holds_alternative<GapTimes>(times_); }
  void check(NoiseProcess auto const& process) const {
    std::visit([&](auto const& times) { check_settings(times, process); }, times_);
  }
  TimePair draw(NoiseProcess auto const& process, Index k, Key key, Counter at) const {
    return std::visit([&](auto const& times) { return times.draw(process, k, key, at); }, times_);
  }
  double resolution(Index k) const {
    return std::visit([&](auto const& times) { return static_cast<double>(times.resolution(k)); }, times_);
  }

 private:
  std::variant<GapTimes, GridTimes<FixedSteps>> times_;
};
struct DistillationWeighting {
  bool gaps;
  auto operator()(Operand auto const& t, Operand auto const& r) const {
    return gaps ? evaluated(InverseGapWeighting{}(t, r)) : evaluated(UniformWeighting{}(t, r));
  }
};

/// CD of a denoiser by Heun's method (Song et al. 2023, Algorithm 2); begins with the teacher's weights.
template <class N, class X>
class Distillation {
 public:
  using Function = ConsistencyFunction<N>;
  /// Reads the teacher, whose digest a new recipe gets.
  Distillation(Recipe& r, N const& network)
      : teacher_{network}, phi_{to<typename X::Backend>(read_teacher(r, network.parameters()))} {}

  auto method(Function const& f, Recipe const& r) const {
    auto const times = DistillationTimes{r};
    return ConsistencyDistillation{.f = f,
                                   .velocity = TeacherVelocity{teacher_, phi_},
                                   .solver = Heun{},
                                   .metric = ChosenMetric<X>{r, f.network().data_shape()},
                                   .times = times,
                                   .weighting = DistillationWeighting{times.gaps()}};
  }
  RAdam optimizer(Recipe const& r) const { return build_radam(r); }
  Parameters<X> start(Function const&, Key) const { return phi_; }
  static Index stage(Recipe const& r, Index k) { return r.N > 0 ? 0 : build_times(r).stage(k); }
  static std::vector<Stage> stages(Recipe const& r) {
    if (r.N == 0) return GapTraining<N, X>::stages(r);
    return {{0, "N = " + to_text(r.N)}};
  }

 private:
  Denoiser<N> teacher_;
  Parameters<X> phi_;
};

/// A denoiser, the teacher of distillation (Karras et al. 2022).
template <class N, class X>
struct Denoising {
  using Function = Denoiser<N>;
  Denoising(Recipe const&, N const&) {}

  auto method(Function const& f, Recipe const& r) const {
    return DenoiserTraining{.f = f, .distribution = {r.law_mean, r.law_deviation}};
  }
  Adam optimizer(Recipe const& r) const {
    return {.learning_rate = r.learning_rate, .beta2 = r.beta2, .schedule = build_rate(r)};
  }
  Parameters<X> start(Function const& f, Key key) const { return f.template initialize<X>(key); }
  static Index stage(Recipe const&, Index) { return 0; }
  static std::vector<Stage> stages(Recipe const&) { return {{0, "denoising"}}; }
};

/// A trainer of such a thing on tensors X, in several processes or one.
template <class X, class Learning, Communicator C>
auto build_trainer(Learning const& learning, typename Learning::Function const& f, Recipe const& r,
                   C const& processes) {
  auto const micro = r.micro_batch < r.batch ? r.micro_batch : 0;
  return Trainer{learning.method(f, r), learning.optimizer(r), learning.start(f, Key{r.seed}),
                 TrainerSettings{.ema = build_average(r),
                                 .clip = r.clip,
                                 .condition_dropout = r.guided() ? r.without_class : 0,
                                 .micro_batch = micro,
                                 .key = {r.seed},
                                 .record = !OnHost<typename X::Backend> && r.dropout == 0 && micro == 0},
                 processes};
}

}  // namespace run
