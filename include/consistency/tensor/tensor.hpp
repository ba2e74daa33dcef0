// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <consistency/tensor/memory.hpp>
#include <consistency/tensor/offset.hpp>

namespace consistency {

/// A dense row-major array in one backend's memory. Copies share the same numbers, like a shared_ptr; numbers
/// are written only by the kernel that makes a tensor and by the owners of arenas. Images are NHWC. Numbers
/// on another device are read through a copy, to<Cpu>(x).
template <class S, class B = Cpu>
class Tensor {
 public:
  using Scalar = S;
  using Backend = B;

  Tensor() = default;  ///< undefined: no shape, no numbers; as a derivative it means zero
  /// Uninitialised numbers.
  explicit Tensor(Shape shape) : shape_{shape}, block_{Block::make(bytes(shape))}, data_{block_->numbers} {}
  Tensor(Shape shape, S value) : Tensor(shape) { Memory<B>::fill(data_, shape.count(), value); }
  /// Copies `values` of the host; throws shape_error unless there are shape.count() of them.
  Tensor(Shape shape, std::span<S const> values) : Tensor(shape) {
    if (static_cast<Index>(values.size()) != shape.count()) misfit("Tensor", values.size(), shape);
    Memory<B>::upload(data_, values.data(), shape.count());
  }
  Tensor(Tensor const& other) noexcept : shape_{other.shape_}, block_{other.block_}, data_{other.data_} {
    if (block_) block_->retain();
  }
  Tensor(Tensor&& other) noexcept
      : shape_{other.shape_}, block_{std::exchange(other.block_, nullptr)}, data_{other.data_} {}
  Tensor& operator=(Tensor other) noexcept {
    std::swap(shape_, other.shape_);
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~Tensor() {
    if (block_) block_->release();
  }

  bool defined() const noexcept { return block_ != nullptr; }
  Shape const& shape() const noexcept { return shape_; }
  Index count() const noexcept { return shape_.count(); }
  S const* data() const noexcept { return data_; }
  /// For writing, at any time from now on: nobody can see when, so kernels keep no form of these numbers any
  /// more (see keep_forms). A clone has none of these pointers.
  S* mutable_data() noexcept {
    if (block_) block_->expose();
    return data_;
  }
  /// For writing by a caller that keeps no pointer, as kernels do.
  S* written_data() noexcept {
    if (block_) block_->forget();
    return data_;
  }
  std::span<S const> values() const noexcept
    requires OnHost<B>
  {
    return {data_, static_cast<std::size_t>(count())};
  }
  std::span<S> mutable_values() noexcept
    requires OnHost<B>
  {
    return {mutable_data(), static_cast<std::size_t>(count())};
  }
  S operator[](Index i) const noexcept
    requires OnHost<B>
  {
    return data_[i];
  }
  /// x(i, j, …): one index for each axis. In builds with assertions (_GLIBCXX_ASSERTIONS, or no NDEBUG)
  /// throws shape_error for another number of indices, or one outside its axis.
  template <bool checked = detail::checks_indices, std::integral... I>
  S operator()(I... indices) const noexcept(!checked)
    requires OnHost<B>
  {
    return data_[detail::offset<checked>(defined(), shape_, indices...)];
  }
  bool unique() const noexcept { return block_ && block_->unique(); }  ///< nobody else sees these numbers

  /// The same numbers under another shape of the same count.
  Tensor reshaped(Shape shape) const {
    if (shape.count() != count()) misfit("reshape", static_cast<std::size_t>(count()), shape);
    return view(0, shape);
  }
  /// Part of the same numbers: shape.count() of them from `offset` on.
  Tensor view(Index offset, Shape shape) const {
    auto part = *this;
    part.shape_ = shape;
    part.data_ += offset;
    return part;
  }
  /// The shape alone, undefined: what a derivative needs to know of an operand whose numbers it does not
  /// need.
  Tensor without_numbers() const {
    Tensor bare;
    bare.shape_ = shape_;
    return bare;
  }
  void fill(S value) { Memory<B>::fill(written_data(), count(), value); }
  /// Overwrites these numbers, for everybody who shares them.
  void assign(Tensor const& from) {
    if (from.count() != count()) misfit("assign", static_cast<std::size_t>(from.count()), shape_);
    Memory<B>::copy(written_data(), from.data_, count());
  }
  Tensor clone() const {
    Tensor copy{shape_};
    Memory<B>::copy(copy.data_, data_, count());
    return copy;
  }

  /// From now on kernels may keep forms of these numbers that they work with, such as transformed weights,
  /// until the numbers are next written; not of numbers that a pointer from mutable_data may change unseen.
  void keep_forms() const noexcept {
    if (block_ && !block_->exposed.load(std::memory_order_relaxed))
      block_->keeps_forms.store(true, std::memory_order_relaxed);
  }
  void drop_forms() const noexcept {
    if (block_) block_->forget();
  }
  class FormsScope;
  /// What make() gives, the first time; that again, later. Undefined where no forms are kept. `form` tells
  /// the forms of one tensor apart.
  template <class Make>
  Tensor kept_form(int form, Make const& make) const {
    auto* const kept = block_ ? forms_of(*block_) : nullptr;
    return kept ? kept->get(data_, form, make) : Tensor{};
  }

 private:
  // A list that threads may add to at the same time, at worst one form twice.
  class Forms {
   public:
    template <class Make>
    Tensor get(S const* of, int form, Make const& make) {
      for (auto const* f = first_.load(std::memory_order_acquire); f; f = f->next)
        if (f->of == of && f->form == form) return f->value;
      auto value = make();  // which may throw: the block below has no owner
      auto* const added = new (MemoryPool::instance().allocate(sizeof(Form)))
          Form{first_.load(std::memory_order_relaxed), of, form, std::move(value)};
      while (!first_.compare_exchange_weak(added->next, added, std::memory_order_acq_rel)) {
      }
      return added->value;
    }
    void drop() noexcept {
      for (auto* f = first_.exchange(nullptr); f;) {
        auto* const gone = std::exchange(f, f->next);
        gone->~Form();
        MemoryPool::instance().release(gone, sizeof(Form));
      }
    }

   private:
    struct Form {
      Form* next;
      S const* of;
      int form;
      Tensor value;
    };
    std::atomic<Form*> first_{nullptr};
  };

  // A header of one cache line; the numbers follow it where the host has them.
  struct Block {
    std::atomic<std::size_t> owners;
    std::size_t size;
    S* numbers;
    Forms forms{};
    std::atomic<bool> keeps_forms{false}, exposed{false};

    static Block* make(std::size_t payload) {
      if constexpr (OnHost<B>) {
        auto const size = MemoryPool::alignment + payload;
        auto* const memory = static_cast<std::byte*>(MemoryPool::instance().allocate(size));
        return new (memory) Block{1, size, reinterpret_cast<S*>(memory + MemoryPool::alignment)};
      } else {
        auto* const numbers = static_cast<S*>(Memory<B>::allocate(payload));
        return new (MemoryPool::instance().allocate(sizeof(Block))) Block{1, sizeof(Block), numbers};
      }
    }
    bool unique() const noexcept { return owners.load(std::memory_order_acquire) == 1; }
    void retain() noexcept { owners.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
      if (owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
      forget();
      if constexpr (!OnHost<B>) Memory<B>::release(numbers);
      MemoryPool::instance().release(this, size);
    }
    void expose() noexcept {
      forget();
      if (!exposed.load(std::memory_order_relaxed)) exposed.store(true, std::memory_order_relaxed);
    }
    /// The numbers change: their forms go.
    void forget() noexcept {
      if (!keeps_forms.load(std::memory_order_relaxed)) return;
      keeps_forms.store(false, std::memory_order_relaxed);
      forms.drop();
    }
  };

  static Forms* forms_of(Block& block) noexcept {
    if (block.keeps_forms.load(std::memory_order_relaxed)) return &block.forms;
    for (auto* scope = scopes; scope; scope = scope->outer_)
      if (scope->block_ == &block) return &scope->forms_;
    return nullptr;
  }
  static inline thread_local constinit FormsScope* scopes = nullptr;

  // A count whose bytes would overflow is cut to one that no system has.
  static std::size_t bytes(Shape const& shape) {
    return std::min(static_cast<std::size_t>(shape.count()), (std::size_t{1} << 62U) / sizeof(S)) * sizeof(S);
  }
  [[noreturn]] static void misfit(char const* where, std::size_t found, Shape const& shape) {
    throw shape_error{{.where = where,
                       .what = "number of values",
                       .found = number_text(found),
                       .expected = number_text(shape.count()) + " for shape " + shape.text(),
                       .advice = ""}};
  }

  Shape shape_;
  Block* block_ = nullptr;
  S* data_ = nullptr;
};

/// While one lives, nobody writes the numbers of a tensor, and kernels that this thread calls keep forms of
/// them: with the tensor, or, where a pointer may change them later, with the scope.
template <class S, class B>
class Tensor<S, B>::FormsScope {
 public:
  explicit FormsScope(Tensor const& of) noexcept : block_{of.block_}, outer_{scopes} {
    of.keep_forms();
    scopes = this;
  }
  FormsScope(FormsScope const&) = delete;
  FormsScope& operator=(FormsScope const&) = delete;
  ~FormsScope() {
    scopes = outer_;
    forms_.drop();
  }

 private:
  friend Tensor;
  Block* block_;
  FormsScope* outer_;
  Forms forms_;
};

/// The same numbers in another backend's memory: a copy, or x itself where it is there already. Waits for the
/// device that computes them.
template <class To, class S, class B>
Tensor<S, To> to(Tensor<S, B> const& x) {
  if constexpr (std::is_same_v<To, B>) {
    return x;
  } else if (!x.defined()) {
    return {};
  } else {
    static_assert(OnHost<To> || OnHost<B>, "to: one of the two backends must be in the host's memory");
    if constexpr (OnHost<B>) {
      return {x.shape(), x.values()};
    } else {
      Tensor<S, To> y{x.shape()};
      Memory<B>::download(y.mutable_data(), x.data(), x.count());
      return y;
    }
  }
}

}  // namespace consistency
