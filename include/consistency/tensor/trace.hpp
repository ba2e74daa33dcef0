// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/tensor/operation_name.hpp>
#include <consistency/tensor/trace_event.hpp>

namespace consistency {

/// Numbers that belong to a layer, by where they lie.
struct LayerNumbers {
  void const* begin;
  std::size_t bytes;
  std::string layer;
};

/// What a TraceScope is to the operations that it sees.
class ActiveTrace {
 public:
  ActiveTrace(ActiveTrace const&) = delete;
  ActiveTrace& operator=(ActiveTrace const&) = delete;

  /// This thread's innermost; null where nothing is traced, and while an operation runs.
  static inline thread_local constinit ActiveTrace const* current = nullptr;

 protected:
  using Call = void (*)(void*, TraceEvent const&);
  ActiveTrace(void* sink, Call call, std::vector<LayerNumbers> layers)
      : sink_{sink}, call_{call}, layers_{std::move(layers)} {
    std::sort(layers_.begin(), layers_.end(),
              [](auto const& a, auto const& b) { return address(a.begin) < address(b.begin); });
  }
  ~ActiveTrace() { current = outer_; }

 private:
  template <class B>
  friend class TraceCall;
  using Clock = std::chrono::steady_clock;

  static std::uintptr_t address(void const* p) { return reinterpret_cast<std::uintptr_t>(p); }

  /// The layer of the first operand that is a parameter, or null.
  std::string const* layer_of(std::span<TracedTensor const> operands) const {
    for (auto const& x : operands) {
      auto const at = address(x.numbers());
      auto const after = std::upper_bound(layers_.begin(), layers_.end(), at,
                                          [](auto p, auto const& l) { return p < address(l.begin); });
      if (after != layers_.begin() && at - address(after[-1].begin) < after[-1].bytes)
        return &after[-1].layer;
    }
    return nullptr;
  }

  void report(std::string_view signature, Pass pass, std::span<TracedTensor const> operands,
              std::span<TracedTensor const> results, double flops, Clock::time_point end) const {
    auto const seconds = [](auto duration) { return std::chrono::duration<double>(duration).count(); };
    auto const name = operation_name(signature);
    auto const* const layer = layer_of(operands);
    if (layer) last_ = "after " + *layer;
    call_(sink_, {name, layer ? *layer : last_, pass, operands, results, seconds(start_ - begin_),
                  seconds(end - start_), flops});
  }

  void* sink_;
  Call call_;
  std::vector<LayerNumbers> layers_;  // in the order of memory
  mutable std::string last_;          // "after NAME"
  mutable Clock::time_point start_;   // of the operation that runs
  Clock::time_point begin_ = Clock::now();
  ActiveTrace const* outer_ = std::exchange(current, this);
};

/// While one lives, sink(TraceEvent) is called after every operation that this thread applies: values, JVPs,
/// random draws, and the backward pass of each operation. An operation inside another is part of it. Of
/// nested scopes the innermost is served. A sink that is an lvalue is referred to; what it throws leaves the
/// operation. `layers`, from layer_names(theta), name the layers of parameters. docs/debugging.md
template <class Sink>
class TraceScope : ActiveTrace {
 public:
  [[nodiscard]] explicit TraceScope(Sink&& sink,
                                    std::same_as<std::vector<LayerNumbers>> auto const&... layers)
      : ActiveTrace{&held_, [](void* held, TraceEvent const& e) { static_cast<Held*>(held)->sink(e); },
                    joined(layers...)},
        held_{std::forward<Sink>(sink)} {}

 private:
  struct Held {
    Sink sink;
  };
  static std::vector<LayerNumbers> joined(auto const&... layers) {
    std::vector<LayerNumbers> all;
    (all.insert(all.end(), layers.begin(), layers.end()), ...);
    return all;
  }

  mutable Held held_;
};
template <class Sink, class... Layers>
TraceScope(Sink&&, Layers const&...) -> TraceScope<Sink>;

/// Stands around the work where an operation is applied on backend B: one test of a pointer where nothing is
/// traced.
template <class B>
class TraceCall {
 public:
  TraceCall() : active_{ActiveTrace::current} {
    if (active_) [[unlikely]]
      begin();
  }
  TraceCall(TraceCall const&) = delete;
  TraceCall& operator=(TraceCall const&) = delete;
  ~TraceCall() {
    if (active_) [[unlikely]]
      ActiveTrace::current = active_;
  }

  explicit operator bool() const noexcept { return active_ != nullptr; }
  /// Where true, to be called when the work is sent off: what was computed from which tensors.
  template <class T>
  [[gnu::cold, gnu::noinline]] void done(char const* signature, double flops, T const& result,
                                         std::initializer_list<T const*> operands) const {
    auto const end = finished();
    std::vector<TracedTensor> read;
    for (auto const* x : operands) read.emplace_back(*x);
    auto const made = TracedTensor{result};
    active_->report(signature, Pass::forward, read, {&made, 1}, flops, end);
  }
  /// The same of a backward pass: `gradients` of the operands, those that were wanted, from the result's
  /// gradient g.
  template <class T>
  [[gnu::cold, gnu::noinline]] void done_backward(char const* signature, double flops, T const& g,
                                                  std::span<T const> operands,
                                                  std::span<T const> gradients) const {
    auto const end = finished();
    std::vector<TracedTensor> read{TracedTensor{g}}, made;
    for (auto const& x : operands) read.emplace_back(x);
    for (auto const& y : gradients)
      if (y.defined()) made.emplace_back(y);
    active_->report(signature, Pass::backward, read, made, flops, end);
  }

 private:
  [[gnu::cold, gnu::noinline]] void begin() {
    Memory<B>::wait();
    ActiveTrace::current = nullptr;
    active_->start_ = ActiveTrace::Clock::now();
  }
  static auto finished() {
    Memory<B>::wait();
    return ActiveTrace::Clock::now();
  }

  ActiveTrace const* active_;
};

}  // namespace consistency
