// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <consistency/tensor/value.hpp>

namespace consistency {

template <class T>
class Tape;

/// A tensor whose history is on a tape: reverse-mode differentiation. A tensor converts to a constant.
template <class T>
class Variable {
 public:
  using Tensor = T;
  using Scalar = typename T::Scalar;
  using Backend = typename T::Backend;

  Variable() = default;
  Variable(T constant) : value_{std::move(constant)} {}  // NOLINT(google-explicit-constructor)
  Variable(T value, Tape<T>* tape, int node) : value_{std::move(value)}, tape_{tape}, node_{node} {}

  bool defined() const noexcept { return value_.defined(); }
  Shape const& shape() const noexcept { return value_.shape(); }
  T const& value() const noexcept { return value_; }
  Tape<T>* tape() const noexcept { return tape_; }
  int node() const noexcept { return node_; }  ///< −1 for a constant

 private:
  T value_;
  Tape<T>* tape_ = nullptr;
  int node_ = -1;
};

template <class T>
inline constexpr bool is_value<Variable<T>> = true;
template <class T>
T const& stop_gradient(Variable<T> const& x) {
  return x.value();
}

/// Records operations and plays them back in reverse. Its memory is kept between steps; what a step saved for
/// its backward pass is released as that pass consumes it.
template <class T>
class Tape {
 public:
  /// A moment of the recording.
  struct Mark {
    std::size_t nodes = 0, chunk = 0, used = 0;
  };

  Tape() = default;
  Tape(Tape const&) = delete;
  Tape& operator=(Tape const&) = delete;
  ~Tape() { clear(); }

  /// A variable to differentiate by. With `into`, gradients are added to those numbers (a slice of an arena);
  /// throws shape_error unless they are of one shape.
  Variable<T> watch(T value, T into = {}) {
    if (into.defined()) same_shape("watch", into.shape(), value.shape());
    nodes_.push_back({});
    nodes_.back().gradient = std::move(into);
    nodes_.back().arena = nodes_.back().gradient.defined();
    return {std::move(value), this, static_cast<int>(nodes_.size()) - 1};
  }

  /// A new variable; pull(tape, gradient) hands its gradient on to what it was computed from.
  template <class Pull>
  Variable<T> record(T value, Pull pull) {
    auto* const memory = allocate(sizeof(Pull));
    nodes_.push_back({});
    nodes_.back().pullback = {
        .pull = [](void* closure, Tape& tape, T const& g) { (*static_cast<Pull*>(closure))(tape, g); },
        .destroy = [](void* closure) { static_cast<Pull*>(closure)->~Pull(); },
        .closure = new (memory) Pull(std::move(pull))};
    return {std::move(value), this, static_cast<int>(nodes_.size()) - 1};
  }

  void accumulate(int node, T gradient) {
    if (node < 0 || !gradient.defined()) return;
    auto& slot = nodes_[static_cast<std::size_t>(node)].gradient;
    if (!slot.defined()) {
      slot = std::move(gradient);
    } else if (nodes_[static_cast<std::size_t>(node)].arena || slot.unique()) {
      accumulate_into(slot, gradient);
    } else {
      auto sum = slot.clone();
      accumulate_into(sum, gradient);
      slot = std::move(sum);
    }
  }

  /// Gradients of Σ y with respect to everything watched.
  void backward(Variable<T> const& y) { backward(y, T(y.shape(), typename T::Scalar(1))); }
  /// Gradients of <y, cotangent>; throws shape_error unless they are of one shape. With `since`, only what
  /// was recorded since then is played back.
  void backward(Variable<T> const& y, T cotangent, Mark since = {}) {
    same_shape("backward", cotangent.shape(), y.shape());
    accumulate(y.node(), std::move(cotangent));
    for (auto i = nodes_.size(); i-- > since.nodes;) {
      auto const [pull, destroy, closure] = nodes_[i].pullback;  // a pull may record: the list may move
      if (pull == nullptr) continue;
      if (auto const g = std::exchange(nodes_[i].gradient, T{}); g.defined()) pull(closure, *this, g);
      destroy(closure);
      nodes_[i].pullback = {};
    }
  }

  /// The gradient of a watched variable after backward(); undefined for a constant and where nothing depends
  /// on it.
  T gradient(Variable<T> const& x) const {
    return x.node() < 0 ? T{} : nodes_[static_cast<std::size_t>(x.node())].gradient;
  }

  Mark mark() const noexcept { return {nodes_.size(), chunk_, used_}; }
  /// Forgets what was recorded since then and keeps the memory.
  void rewind(Mark to) {
    for (; nodes_.size() > to.nodes; nodes_.pop_back())
      if (auto const& [pull, destroy, closure] = nodes_.back().pullback; pull != nullptr) destroy(closure);
    chunk_ = to.chunk;
    used_ = to.used;
  }
  /// Forgets everything recorded and keeps the memory.
  void clear() { rewind({}); }

 private:
  struct ErasedPullback {
    void (*pull)(void*, Tape&, T const&) = nullptr;
    void (*destroy)(void*) = nullptr;
    void* closure = nullptr;
  };
  struct Node {
    ErasedPullback pullback;
    T gradient;
    bool arena = false;
  };

  static void same_shape(char const* where, Shape const& found, Shape const& expected) {
    if (found != expected)
      fail<shape_error>(std::string{"Tape: "} + where, "shape of the gradient", found.text(),
                        expected.text());
  }

  static constexpr std::size_t chunk_size = std::size_t{1} << 16U;

  void* allocate(std::size_t bytes) {
    constexpr auto align = alignof(std::max_align_t);
    bytes = (bytes + align - 1) / align * align;
    static_assert(chunk_size >= 4096);
    if (chunk_ == chunks_.size() || used_ + bytes > chunk_size) {
      if (chunk_ < chunks_.size()) ++chunk_;
      if (chunk_ == chunks_.size()) chunks_.push_back(std::make_unique<std::byte[]>(chunk_size));
      used_ = 0;
    }
    auto* const memory = chunks_[chunk_].get() + used_;
    used_ += bytes;
    return memory;
  }

  std::vector<Node> nodes_;
  std::vector<std::unique_ptr<std::byte[]>> chunks_;
  std::size_t chunk_ = 0, used_ = 0;
};

}  // namespace consistency
