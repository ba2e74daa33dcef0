// SPDX-License-Identifier: MIT
// consistency::c: the functions of c.h. Whatever is thrown ends here, as a status and a text.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <consistency/c.h>
#include <consistency/checkpoint/model_file.hpp>
#include <consistency/core/version.hpp>
#include <consistency/io/image.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/session.hpp>

namespace {

using namespace consistency;

/// What c.h loads.
template <class... Network>
using OfEach = std::variant<ConsistencyFunction<Network>..., Denoiser<Network>...>;
using AnyFunction = OfEach<Mlp, UNet, SongUNet, Adm>;

/// The text of this thread's last error, in memory that needs no destructor.
thread_local std::array<char, 2048> last_error{};

consistency_status failed(consistency_status status, std::string_view text) noexcept {
  auto const length = std::min(text.size(), last_error.size() - 1);
  std::copy_n(text.data(), length, last_error.data());
  last_error[length] = '\0';
  return status;
}

/// Errors of the interface itself.
struct InterfaceError {
  consistency_status status;
  char const* text;
};

consistency_status status_of(auto const& work) noexcept try {
  work();
  return CONSISTENCY_OK;
} catch (InterfaceError const& failure) {
  return failed(failure.status, failure.text);
} catch (error const& failure) {
  return failed(static_cast<consistency_status>(failure.code()), failure.what());
} catch (std::bad_alloc const&) {
  return failed(CONSISTENCY_RESOURCE, "out of memory");
} catch (std::exception const& failure) {
  return failed(CONSISTENCY_UNEXPECTED, failure.what());
} catch (...) {
  return failed(CONSISTENCY_UNEXPECTED, "an exception of another kind");
}

template <class T>
T& given(T* pointer, char const* text) {
  if (pointer == nullptr) throw InterfaceError{CONSISTENCY_ARGUMENT, text};
  return *pointer;
}
/// The settings, or the defaults where there are none.
template <class T>
T settings_or(T const* settings, void (*init)(T*)) {
  T all;
  init(&all);
  if (settings == nullptr) return all;
  if (settings->struct_size != sizeof(T))
    throw InterfaceError{
        CONSISTENCY_ARGUMENT,
        "settings: found another struct_size, expected what the init function sets. Call it first."};
  return *settings;
}
template <class T>
std::span<T const> span_of(T const* data, std::size_t count) {
  if (data == nullptr && count > 0)
    throw InterfaceError{CONSISTENCY_ARGUMENT, "a null pointer to numbers that are counted"};
  return {data, count};
}

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

struct LoadedModel {
  AnyFunction f;
  PreparedParameters<Tensor<float>> theta;
  DataDescription data;
};

/// Objects by handles. An id is a place and how often that place was taken, so that no id comes back and one
/// that was never given is found out, without a lock: who uses an object is counted first, and only then
/// looks whose place it is.
template <class Object, std::uint64_t mark>
class Handles {
  static constexpr std::uint64_t most = 1024;
  struct Place {
    std::atomic<bool> taken{false};
    std::atomic<std::uint64_t> id{0};
    std::atomic<unsigned> users{0};
    std::uint64_t times = 0;
    std::unique_ptr<Object> object;
  };

 public:
  class Use {
   public:
    Use(Handles& all, std::uint64_t id) : place_{all.places_[id % most]} {
      place_.users.fetch_add(1);
      if (id == 0 || place_.id.load() != id) {
        place_.users.fetch_sub(1);
        throw InterfaceError{CONSISTENCY_HANDLE,
                             "found no handle, or a freed one, expected one that was given"};
      }
    }
    Use(Use const&) = delete;
    Use& operator=(Use const&) = delete;
    ~Use() { place_.users.fetch_sub(1); }
    Object& operator*() const noexcept { return *place_.object; }
    Object* operator->() const noexcept { return place_.object.get(); }

   private:
    Place& place_;
  };

  std::uint64_t add(std::unique_ptr<Object> object) {
    for (std::uint64_t i = 0; i < most; ++i) {
      auto& place = places_[i];
      if (place.taken.exchange(true)) continue;
      place.object = std::move(object);
      auto const id = ((++place.times * 2 + mark) * most) + i;
      place.id.store(id);
      return id;
    }
    throw InterfaceError{CONSISTENCY_RESOURCE, "found 1024 handles in use, expected fewer. Free some."};
  }
  void remove(std::uint64_t id) {
    auto& place = places_[id % most];
    auto expected = id;
    if (id == 0 || !place.id.compare_exchange_strong(expected, 0))
      throw InterfaceError{CONSISTENCY_HANDLE,
                           "found no handle, or a freed one, expected one that was given"};
    while (place.users.load() != 0) std::this_thread::yield();
    place.object.reset();
    place.taken.store(false);
  }

 private:
  std::array<Place, most> places_;
};

/// Never destroyed: a thread may draw while the process ends.
auto& models() {
  static auto& all = *new Handles<LoadedModel, 0>;
  return all;
}
auto& sessions() {
  static auto& all = *new Handles<Session, 1>;
  return all;
}

/// What was freed goes back to the system: an application may load the next model, or unload the library.
void give_back() noexcept { MemoryPool::instance().trim(); }

/// The session that this thread is drawing from: an observer may not free it.
thread_local std::uint64_t drawn_from = 0;

/// The features of a network's condition.
Index condition_of(auto const& network) { return network.settings().condition.features; }

}  // namespace

extern "C" {

char const* consistency_version(void) {
  static_assert(version.data()[version.size()] == '\0');
  return version.data();
}

char const* consistency_last_error(void) { return last_error.data(); }

char const* consistency_status_name(consistency_status status) {
  switch (status) {
    case CONSISTENCY_OK:
      return "CONSISTENCY_OK";
    case CONSISTENCY_CONFIG:
      return "CONSISTENCY_CONFIG";
    case CONSISTENCY_SHAPE:
      return "CONSISTENCY_SHAPE";
    case CONSISTENCY_IO:
      return "CONSISTENCY_IO";
    case CONSISTENCY_FORMAT:
      return "CONSISTENCY_FORMAT";
    case CONSISTENCY_INTEGRITY:
      return "CONSISTENCY_INTEGRITY";
    case CONSISTENCY_MISMATCH:
      return "CONSISTENCY_MISMATCH";
    case CONSISTENCY_NUMERIC:
      return "CONSISTENCY_NUMERIC";
    case CONSISTENCY_RESOURCE:
      return "CONSISTENCY_RESOURCE";
    case CONSISTENCY_ARGUMENT:
      return "CONSISTENCY_ARGUMENT";
    case CONSISTENCY_HANDLE:
      return "CONSISTENCY_HANDLE";
    case CONSISTENCY_UNEXPECTED:
      return "CONSISTENCY_UNEXPECTED";
  }
  return "unknown";
}

consistency_status consistency_model_load(char const* path, consistency_model* model) {
  return status_of([&] {
    given(model, "consistency_model_load: a null pointer for the handle").id = 0;
    auto any =
        load_model<AnyFunction>(std::filesystem::path{&given(path, "consistency_model_load: no path")});
    model->id = std::visit(
        [](auto& loaded) {
          return models().add(std::make_unique<LoadedModel>(LoadedModel{
              std::move(loaded.f), PreparedParameters{std::move(loaded.theta)}, std::move(loaded.data)}));
        },
        any);
  });
}

consistency_status consistency_model_free(consistency_model model) {
  return status_of([&] {
    models().remove(model.id);
    give_back();
  });
}

consistency_status consistency_model_describe(consistency_model model, consistency_model_info* info) {
  return status_of([&] {
    auto& to = given(info, "consistency_model_describe: a null pointer for the info");
    auto const loaded = Handles<LoadedModel, 0>::Use{models(), model.id};
    std::visit(
        [&](auto const& f) {
          auto const shape = f.network().data_shape();
          to = {};
          to.rank = shape.rank();
          std::transform(shape.begin(), shape.end(), to.shape,
                         [](Index i) { return static_cast<std::size_t>(i); });
          to.sample_numbers = static_cast<std::size_t>(shape.count());
          to.condition_numbers = static_cast<std::size_t>(condition_of(f.network()));
          to.labels = loaded->data.labels.size();
          to.parameters = static_cast<std::size_t>(f.network().parameters().count());
          to.denoiser = f.kind == Kind::denoiser ? 1 : 0;
        },
        loaded->f);
  });
}

consistency_status consistency_model_label(consistency_model model, size_t i, char* text, size_t size) {
  return status_of([&] {
    if (size == 0)
      throw InterfaceError{CONSISTENCY_SHAPE, "consistency_model_label: found 0 bytes, expected 1 or more"};
    auto& to = given(text, "consistency_model_label: a null pointer for the text");
    auto const loaded = Handles<LoadedModel, 0>::Use{models(), model.id};
    auto const& labels = loaded->data.labels;
    if (i >= labels.size())
      throw InterfaceError{CONSISTENCY_CONFIG,
                           "consistency_model_label: found a class that the file does not name"};
    auto const length = std::min(labels[i].size(), size - 1);
    std::copy_n(labels[i].data(), length, &to);
    text[length] = '\0';
  });
}

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
    auto const loaded = Handles<LoadedModel, 0>::Use{models(), model.id};
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
            return sessions().add(std::make_unique<SessionOf<F, S>>(f, loaded->theta, sampler, own));
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
    sessions().remove(session.id);
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
    auto const drawing = Handles<Session, 1>::Use{sessions(), session.id};
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

consistency_status consistency_to_bytes(float const* samples, size_t numbers, uint8_t* bytes) {
  return status_of([&] {
    auto const from = span_of(samples, numbers);
    if (numbers > 0) given(bytes, "consistency_to_bytes: a null pointer for the bytes");
    std::transform(from.begin(), from.end(), bytes, to_byte);
  });
}

}  // extern "C"
