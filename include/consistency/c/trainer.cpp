// SPDX-License-Identifier: MIT
// consistency::c: training.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

#include <consistency/c/any_network.hpp>
#include <consistency/c/models.hpp>
#include <consistency/core/executor.hpp>
#include <consistency/core/sole_use.hpp>
#include <consistency/core/thread_pool.hpp>
#include <consistency/optimizer/radam.hpp>
#include <consistency/schedule/doubling_steps.hpp>
#include <consistency/schedule/gap_times.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/schedule/log_normal_distribution.hpp>
#include <consistency/solver/heun.hpp>
#include <consistency/training/consistency_distillation.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/denoiser_training.hpp>
#include <consistency/training/trainer.hpp>
#include <consistency/weighting/inverse_gap_weighting.hpp>

namespace {

using namespace consistency;
using namespace consistency::c;
using X = Tensor<float>;

constexpr auto where = "consistency_train";

class AnyTrainer {
 public:
  AnyTrainer() = default;
  AnyTrainer(AnyTrainer const&) = delete;
  AnyTrainer& operator=(AnyTrainer const&) = delete;
  virtual ~AnyTrainer() = default;
  virtual double step(Batch<X> const& batch) = 0;
  virtual Parameters<X> const& averaged() const = 0;
  virtual Index steps_done() const = 0;
};

template <class M>
class TrainerOf : public AnyTrainer {
 public:
  TrainerOf(M method, Parameters<X> start, consistency_trainer_settings const& s)
      : trainer_{
            std::move(method),
            RAdam{.learning_rate = s.learning_rate,
                  .beta2 = 0.99,
                  .schedule = {.decay_from = part(0.7, s.steps), .decay_to = s.steps}},
            std::move(start),
            {.ema = Average::warm_up(std::min(0.999, 1 - 10 / std::max(10.0, static_cast<double>(s.steps)))),
             .clip = 1,
             .key = {s.seed}}} {}
  double step(Batch<X> const& batch) override { return trainer_.step(batch).loss; }
  Parameters<X> const& averaged() const override { return trainer_.averaged(); }
  Index steps_done() const override { return trainer_.state().step; }

  static Index part(double share, Index steps) {
    return std::min(steps - 1, static_cast<Index>(share * static_cast<double>(steps)));
  }

 private:
  Trainer<M, RAdam> trainer_;
};

std::unique_ptr<AnyTrainer> trainer_of(auto const& method, Parameters<X> start,
                                       consistency_trainer_settings const& s) {
  return std::make_unique<TrainerOf<std::remove_cvref_t<decltype(method)>>>(method, std::move(start), s);
}

/// As the demo trains: a third of the steps for a denoiser, then the gap between the times halves.
std::unique_ptr<AnyTrainer> training(ConsistencyFunction<AnyNetwork> const& f, PseudoHuber const& metric,
                                     Parameters<X> start, consistency_trainer_settings const& s) {
  auto const stage = std::max<Index>(1, s.steps / 6);
  auto const times = GapTimes{.distribution = {-1.1, 2.0},
                              .denoising = s.steps - std::min(s.steps, 4 * stage),
                              .stage_steps = stage,
                              .stages = 4};
  return trainer_of(
      ConsistencyTraining{.f = f, .metric = metric, .times = times, .weighting = InverseGapWeighting{}},
      std::move(start), s);
}

/// By N that doubles, as bench/policies finds it nearest to the data.
std::unique_ptr<AnyTrainer> distillation(ConsistencyFunction<AnyNetwork> const& f, PseudoHuber const& metric,
                                         Denoiser<AnyNetwork> const& teacher, Parameters<X> const& phi,
                                         Parameters<X> start, consistency_trainer_settings const& s) {
  auto const times = GridTimes<DoublingSteps, LogNormalDistribution>{{.s0 = 10, .s1 = 160, .K = s.steps}};
  return trainer_of(ConsistencyDistillation{.f = f,
                                            .velocity = TeacherVelocity{teacher, phi},
                                            .solver = Heun{},
                                            .metric = metric,
                                            .times = times,
                                            .weighting = InverseGapWeighting{}},
                    std::move(start), s);
}

/// What a handle is of.
class Training {
 public:
  Training(LoadedModel const& model, LoadedModel const* teacher, consistency_trainer_settings const& s)
      : f_{model.f}, data_{model.data}, steps_{s.steps}, pool_{s.threads, true} {
    require_setting(s.steps >= 1, "consistency_trainer_new", "steps", static_cast<double>(s.steps),
                    "1 or more");
    require_setting(std::isfinite(s.huber) && s.huber >= 0, "consistency_trainer_new", "huber", s.huber,
                    "0 or more");
    auto const own = ExecutorScope{pool_};
    trainer_ =
        std::visit([&](auto const& f) { return made(f, model.theta.parameters(), teacher, s); }, model.f);
  }

  double step(std::span<float const> data, std::span<float const> condition) {
    auto const busy = detail::SoleUse{in_use_, where, "a trainer"};
    auto const own = ExecutorScope{pool_};
    if (trainer_->steps_done() == steps_)
      fail<config_error>(where, "steps done", number_text(steps_), "fewer: all that were planned are done",
                         "Take the model, and train it on with a trainer of its own.");
    auto const shape = std::visit([](auto const& f) { return f.network().data_shape(); }, f_);
    auto const features = std::visit([](auto const& f) { return condition_of(f.network()); }, f_);
    auto const found = static_cast<Index>(data.size()), n = found / shape.count();
    if (found % shape.count() != 0 || n < 1)
      fail<shape_error>(where, "numbers of a batch", number_text(found),
                        number_text(shape.count()) + " for each of 1 or more samples");
    if (static_cast<Index>(condition.size()) != n * features)
      fail<shape_error>(where, "numbers of the condition", number_text(condition.size()),
                        number_text(features) + " for each of " + number_text(n) + " samples");
    auto batch = Batch<X>{X{shape.samples(n), data}};                               // (n, …)
    if (features > 0) batch.condition = Condition<X>{X{{n, features}, condition}};  // (n, k)
    return trainer_->step(batch);
  }

  std::unique_ptr<LoadedModel> model() {
    auto const busy = detail::SoleUse{in_use_, where, "a trainer"};
    return std::make_unique<LoadedModel>(
        LoadedModel{f_, PreparedParameters{Parameters<X>{trainer_->averaged()}}, data_});
  }

 private:
  template <class F>
  static std::unique_ptr<AnyTrainer> made(F const& f, Parameters<X> const& theta, LoadedModel const* teacher,
                                          consistency_trainer_settings const& s) {
    if constexpr (F::kind == Kind::denoiser) {
      if (teacher != nullptr)
        throw InterfaceError{CONSISTENCY_CONFIG,
                             "consistency_trainer_new: found a teacher of a denoiser, expected none: it "
                             "learns from data"};
      return trainer_of(DenoiserTraining{.f = Denoiser{AnyNetwork{f.network()}}}, theta, s);
    } else {
      auto const own = ConsistencyFunction{AnyNetwork{f.network()}};
      auto const metric =
          s.huber > 0 ? PseudoHuber{s.huber} : PseudoHuber::for_dimensions(f.network().data_shape().count());
      if (teacher == nullptr) return training(own, metric, theta, s);
      return std::visit(
          [&]<class T>(T const& D) -> std::unique_ptr<AnyTrainer> {
            if constexpr (T::kind == Kind::denoiser) {
              auto const& phi = teacher->theta.parameters();
              auto const same = own.network().parameters().same_meaning(D.network().parameters());
              return distillation(own, metric, Denoiser{AnyNetwork{D.network()}}, phi, same ? phi : theta, s);
            } else {
              throw InterfaceError{CONSISTENCY_MISMATCH,
                                   "consistency_trainer_new: found a consistency function as the teacher, "
                                   "expected a denoiser"};
            }
          },
          teacher->f);
    }
  }

  AnyFunction f_;
  DataDescription data_;
  Index steps_;
  ThreadPool pool_;
  std::unique_ptr<AnyTrainer> trainer_;
  std::atomic<bool> in_use_{false};
};

using Trainings = Handles<Training, 2>;

}  // namespace

extern "C" {

void consistency_trainer_settings_init(consistency_trainer_settings* settings) {
  if (settings == nullptr) return;
  *settings = {};
  settings->struct_size = sizeof *settings;
  settings->learning_rate = 1e-3;
  settings->threads = 1;
}

consistency_status consistency_trainer_new(consistency_model model,
                                           consistency_trainer_settings const* settings,
                                           consistency_trainer* trainer) {
  return status_of([&] {
    given(trainer, "consistency_trainer_new: a null pointer for the handle").id = 0;
    static_cast<void>(given(settings, "consistency_trainer_new: no settings"));
    auto const s = settings_or(settings, consistency_trainer_settings_init);
    auto const loaded = Models::Use{model.id};
    std::optional<Models::Use> teacher;
    if (s.teacher.id != 0) teacher.emplace(s.teacher.id);
    trainer->id =
        Trainings::all().add(std::make_unique<Training>(*loaded, teacher ? &**teacher : nullptr, s));
  });
}

consistency_status consistency_train(consistency_trainer trainer, float const* data, size_t numbers,
                                     float const* condition, size_t condition_numbers, double* loss) {
  return status_of([&] {
    static_cast<void>(given(data, "consistency_train: a null pointer for the data"));
    auto const training = Trainings::Use{trainer.id};
    auto const value = training->step({data, numbers}, span_of(condition, condition_numbers));
    if (loss != nullptr) *loss = value;
  });
}

consistency_status consistency_trainer_model(consistency_trainer trainer, consistency_model* model) {
  return status_of([&] {
    given(model, "consistency_trainer_model: a null pointer for the handle").id = 0;
    auto const training = Trainings::Use{trainer.id};
    model->id = Models::all().add(training->model());
  });
}

consistency_status consistency_trainer_free(consistency_trainer trainer) {
  return status_of([&] {
    Trainings::all().remove(trainer.id);
    give_back();
  });
}

}  // extern "C"
