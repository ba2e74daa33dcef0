// SPDX-License-Identifier: MIT
// Any sequence of calls of c.h: handles that are null, freed or of another kind, settings that cannot be,
// memory of any size. Every call ends with a status, and failures say why.
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <consistency/c.h>

#include "fuzz.hpp"

using consistency::attack::require;

namespace {

/// Choices out of the input; zeros when it is over.
class Choices {
 public:
  Choices(std::uint8_t const* bytes, std::size_t size) : at_{bytes}, end_{bytes + size} {}
  bool over() const { return at_ == end_; }
  std::uint8_t byte() { return over() ? 0 : *at_++; }
  template <class T, std::size_t n>
  T of(std::array<T, n> const& all) {
    return all[byte() % n];
  }
  /// Small numbers, and some that are none; never a size that could be had, but only by much memory.
  std::int64_t number() {
    return of(
        std::array<std::int64_t, 10>{0, 1, 2, 3, 4, 5, 8, 16, -1, std::numeric_limits<std::int64_t>::max()});
  }
  float real() {
    return of(
        std::array{0.0F, 0.5F, -0.7F, 1.0F, 80.0F, 1e30F, std::numeric_limits<float>::quiet_NaN(), 0.1F});
  }

 private:
  std::uint8_t const *at_, *end_;
};

/// Handles that calls gave, and that may be freed by now.
template <class Handle>
class Known {
 public:
  void add(Handle handle) { all_[next_++ % all_.size()] = handle; }
  Handle any(Choices& choices) {
    auto const i = choices.byte();
    return i == 255 ? Handle{0xdeadbeef} : all_[i % all_.size()];
  }
  std::array<Handle, 4> const& all() const { return all_; }

 private:
  std::array<Handle, 4> all_{};
  std::size_t next_ = 0;
};

class Caller {
 public:
  Caller(std::uint8_t const* bytes, std::size_t size) : choices_{bytes, size} {}

  void run() {
    for (int calls = 0; calls < 24 && !choices_.over(); ++calls) call();
    for (auto const& handle : sessions_.all()) consistency_session_free(handle);
    for (auto const& handle : trainers_.all()) consistency_trainer_free(handle);
    for (auto const& handle : models_.all()) consistency_model_free(handle);
  }

 private:
  void call() {
    switch (choices_.byte() % 11) {
      case 0:
      case 1:
        return new_model();
      case 2:
        return new_session();
      case 3:
      case 4:
        return draw();
      case 5:
        return new_trainer();
      case 6:
      case 7:
        return train();
      case 8: {
        consistency_model model{1};
        if (checked(consistency_trainer_model(trainers_.any(choices_), &model))) models_.add(model);
        return;
      }
      case 9:
        return look();
      default:
        if (choices_.byte() % 2 == 0)
          checked(consistency_session_free(sessions_.any(choices_)));
        else if (choices_.byte() % 2 == 0)
          checked(consistency_trainer_free(trainers_.any(choices_)));
        else
          checked(consistency_model_free(models_.any(choices_)));
    }
  }

  /// Whether it went well; else there are words.
  static bool checked(consistency_status status) {
    require(status == CONSISTENCY_OK || consistency_last_error()[0] != '\0');
    require(status != CONSISTENCY_UNEXPECTED && consistency_status_name(status)[0] == 'C');
    return status == CONSISTENCY_OK;
  }

  void new_model() {
    consistency_model_settings s;
    consistency_model_settings_init(&s);
    std::array<std::int64_t, 3> const multipliers{choices_.number() % 4, 1, 2},
        heights{choices_.number(), 4, 2};
    s.rank = choices_.byte() % 5;
    for (auto& length : s.shape) length = choices_.number();
    s.denoiser = choices_.byte() % 2;
    s.channels = 8;
    if (choices_.byte() % 4 == 0) s.channels = choices_.number();
    s.blocks = choices_.number() % 4;
    s.multipliers = choices_.byte() % 8 == 0 ? nullptr : multipliers.data();
    s.multiplier_count = choices_.byte() % 4;
    s.attention = choices_.byte() % 8 == 0 ? nullptr : heights.data();
    s.attention_count = choices_.byte() % 4;
    if (choices_.byte() % 4 == 0) s.patch = choices_.number();
    if (choices_.byte() % 4 == 0) s.heads = choices_.number();
    if (choices_.byte() % 2 == 0) s.condition_numbers = choices_.number();
    if (choices_.byte() % 32 == 0) s.struct_size = 1;
    consistency_model model{1};
    if (checked(consistency_model_new(choices_.byte() % 32 == 0 ? nullptr : &s, &model)))
      models_.add(model);
    else
      require(model.id == 0);
  }

  void new_session() {
    consistency_session_settings s;
    consistency_session_settings_init(&s);
    std::array<double, 3> const times{choices_.real(), choices_.real(), 0.3};
    s.batch = choices_.byte() % 4 == 0 ? choices_.number() : 2;
    if (s.batch > 16) s.batch = -1;
    s.threads = choices_.byte() % 4;
    s.times = choices_.byte() % 8 == 0 ? nullptr : times.data();
    s.time_count = choices_.byte() % 4;
    s.steps = choices_.number() % 20;
    consistency_session session{1};
    if (checked(consistency_session_new(models_.any(choices_), &s, &session)))
      sessions_.add(session);
    else
      require(session.id == 0);
  }

  void new_trainer() {
    consistency_trainer_settings s;
    consistency_trainer_settings_init(&s);
    s.steps = choices_.number();
    s.threads = choices_.byte() % 4;
    if (choices_.byte() % 2 == 0) s.teacher = models_.any(choices_);
    if (choices_.byte() % 4 == 0) s.learning_rate = choices_.real();
    if (choices_.byte() % 4 == 0) s.huber = choices_.real();
    consistency_trainer trainer{1};
    if (checked(consistency_trainer_new(models_.any(choices_), &s, &trainer)))
      trainers_.add(trainer);
    else
      require(trainer.id == 0);
  }

  std::vector<float> numbers() {
    return std::vector<float>(static_cast<std::size_t>(choices_.byte()) + 1, choices_.real());
  }

  void draw() {
    auto samples = numbers();
    auto const condition = numbers(), noise = numbers();
    consistency_draw_settings s;
    consistency_draw_settings_init(&s);
    s.first = choices_.number();
    if (choices_.byte() % 2 == 0) s.condition = condition.data(), s.condition_numbers = condition.size();
    if (choices_.byte() % 2 == 0) s.noise = noise.data(), s.noise_numbers = noise.size();
    if (choices_.byte() % 4 == 0)
      s.observer = [](void*, std::int64_t evaluations, float const*, std::size_t) {
        return evaluations < 2 ? 1 : 0;
      };
    if (checked(consistency_draw(sessions_.any(choices_), &s, samples.data(), samples.size())))
      for (auto const x : samples) require(x == x);
  }

  void train() {
    auto const trainer = trainers_.any(choices_);
    auto const data = numbers(), condition = numbers();
    auto const none = choices_.byte() % 16 == 0, with = choices_.byte() % 2 == 0;
    double loss = -1;
    if (checked(consistency_train(trainer, none ? nullptr : data.data(), data.size(),
                                  with ? condition.data() : nullptr, with ? condition.size() : 0, &loss)))
      require(loss >= 0);
  }

  void look() {
    consistency_model_info info;
    char text[4];
    auto const model = models_.any(choices_);
    if (checked(consistency_model_describe(model, &info))) require(info.sample_numbers > 0);
    auto const label = choices_.byte();
    checked(consistency_model_label(model, label, text, choices_.byte() % 5));
  }

  Choices choices_;
  Known<consistency_model> models_;
  Known<consistency_session> sessions_;
  Known<consistency_trainer> trainers_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size) {
  Caller{bytes, size}.run();
  return 0;
}
