// SPDX-License-Identifier: MIT
#pragma once

// What every call of c.h does: whatever is thrown ends as a status and a text, and objects are known by
// handles.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <thread>
#include <utility>

#include <consistency/c.h>
#include <consistency/core/error.hpp>

namespace consistency::c {

/// The text of this thread's last error, in memory that needs no destructor.
inline thread_local std::array<char, 2048> last_error{};

inline consistency_status failed(consistency_status status, std::string_view text) noexcept {
  auto const length = std::min(text.size(), last_error.size() - 1);
  std::copy_n(text.begin(), length, last_error.data());
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

/// Objects by handles. An id is a place and how often that place was taken, so that no id comes back and one
/// that was never given is found out, without a lock: who uses an object is counted first, and only then
/// looks whose place it is.
template <class Object, std::uint64_t mark>
class Handles {
  static constexpr std::uint64_t kinds = 4;  // marks are below it
  static_assert(mark < kinds);
  static constexpr std::uint64_t most = 1024;
  struct Place {
    std::atomic<bool> taken{false};
    std::atomic<std::uint64_t> id{0};
    std::atomic<unsigned> users{0};
    std::uint64_t times = 0;
    std::unique_ptr<Object> object;
  };

 public:
  /// Of this kind; never destroyed: a thread may use one while the process ends.
  static Handles& all() {
    static auto& all = *new Handles;
    return all;
  }

  class Use {
   public:
    explicit Use(std::uint64_t id) : place_{all().places_[id % most]} {
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
      auto const id = ((++place.times * kinds + mark) * most) + i;
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

}  // namespace consistency::c
