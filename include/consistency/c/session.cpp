// SPDX-License-Identifier: MIT
// consistency::c: drawing.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

#include <consistency/c/models.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/session.hpp>

namespace {

using namespace consistency;
using namespace consistency::c;

class Session {
 public:
  Session() = default;
  Session(Session const&) = delete;
  Session& operator=(Session const&) = delete;
  virtual ~Session() = default;
  virtual void draw(std::span<float> out, DrawSettings const& settings, consistency_observer observer,
                    void* user) = 0;
};

template <class F, class S>
class SessionOf : public Session {
 public:
  SessionOf(F const& f, PreparedParameters<Tensor<float>> const& theta, S const& sampler,
            SessionSettings const& settings)
      : session_{f, theta, sampler, settings} {}
  void draw(std::span<float> out, DrawSettings const& settings, consistency_observer observer,
            void* user) override {
    if (observer == nullptr) return session_.draw(out, settings);
    session_.draw(out, settings, [&](Evaluation<Tensor<float>> const& e) {
      return observer(user, e.number + 1, e.estimate.data(), static_cast<std::size_t>(e.estimate.count())) !=
             0;
    });
  }

 private:
  SamplingSession<F, S> session_;
};

using Sessions = Handles<Session, 1>;

/// The session that this thread is drawing from: an observer may not free it.
thread_local std::uint64_t drawn_from = 0;

}  // namespace

extern "C" {

void consistency_session_settings_init(consistency_session_settings* settings) {
  if (settings == nullptr) return;
  *settings = {};
  settings->struct_size = sizeof *settings;
  settings->batch = 1;
  settings->threads = 1;
}

consistency_status consistency_session_new(consistency_model model,
                                           consistency_session_settings const* settings,
                                           consistency_session* session) {
  return status_of([&] {
    given(session, "consistency_session_new: a null pointer for the handle").id = 0;
    auto const s = settings_or(settings, consistency_session_settings_init);
    auto const times = span_of(s.times, s.time_count);
    auto const loaded = Models::Use{model.id};
    auto executor = std::optional<HostExecutor>{};
    if (s.executor != nullptr) executor.emplace(s.executor->host, s.executor->run, s.executor->threads);
    auto const own = SessionSettings{.batch = s.batch,
                                     .threads = s.threads,
                                     .executor = executor,
                                     .data = loaded->data.data,
                                     .condition = loaded->data.condition};
    session->id = std::visit(
        [&]<class F>(F const& f) {
          constexpr auto denoiser = F::kind == Kind::denoiser;
          if (denoiser ? !times.empty() : s.steps != 0)
            throw InterfaceError{CONSISTENCY_CONFIG,
                                 denoiser
                                     ? "settings: found times, expected steps of a denoiser"
                                     : "settings: found steps, expected times of a consistency function"};
          auto const made = [&](auto const& sampler) {
            using S = std::remove_cvref_t<decltype(sampler)>;
            return Sessions::all().add(std::make_unique<SessionOf<F, S>>(f, loaded->theta, sampler, own));
          };
          if constexpr (denoiser)
            return made(s.steps == 0 ? OdeSampler<>{} : OdeSampler<>{.steps = s.steps});
          else
            return made(Multistep{.times = {times.begin(), times.end()}});
        },
        loaded->f);
  });
}

consistency_status consistency_session_free(consistency_session session) {
  return status_of([&] {
    if (session.id != 0 && session.id == drawn_from)
      throw InterfaceError{CONSISTENCY_CONFIG,
                           "consistency_session_free: found a call by the session's own observer"};
    Sessions::all().remove(session.id);
    give_back();
  });
}

void consistency_draw_settings_init(consistency_draw_settings* settings) {
  if (settings == nullptr) return;
  *settings = {};
  settings->struct_size = sizeof *settings;
}

consistency_status consistency_draw(consistency_session session, consistency_draw_settings const* settings,
                                    float* samples, size_t numbers) {
  return status_of([&] {
    auto& out = given(samples, "consistency_draw: a null pointer for the samples");
    auto const s = settings_or(settings, consistency_draw_settings_init);
    auto const drawing = Sessions::Use{session.id};
    auto const before = std::exchange(drawn_from, session.id);
    struct Back {
      std::uint64_t to;
      ~Back() { drawn_from = to; }
    } const back{before};
    drawing->draw({&out, numbers},
                  {.seed = s.seed,
                   .first = s.first,
                   .condition = span_of(s.condition, s.condition_numbers),
                   .noise = span_of(s.noise, s.noise_numbers)},
                  s.observer, s.user);
  });
}

}  // extern "C"
