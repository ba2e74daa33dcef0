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
#include <consistency/tensor/prepared_forms.hpp>

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
    if (static_cast<Index>(values.size()) != shape.count()) fail_shape("Tensor", values.size(), shape);
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
  S* mutable_data() noexcept { return data_; }
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
    if (shape.count() != count()) fail_shape("reshape", static_cast<std::size_t>(count()), shape);
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
  void fill(S value) { Memory<B>::fill(data_, count(), value); }
  /// Overwrites these numbers, for everybody who shares them.
  void assign(Tensor const& from) {
    if (from.count() != count()) fail_shape("assign", static_cast<std::size_t>(from.count()), shape_);
    Memory<B>::copy(data_, from.data_, count());
  }
  Tensor clone() const {
    Tensor copy{shape_};
    Memory<B>::copy(copy.data_, data_, count());
    return copy;
  }

  /// The same numbers, to be read many times: kernels keep the forms of them that they make, until the last
  /// copy or view of the result is gone. Nobody may write these numbers until then.
  Tensor prepared() const {
    if (!block_) return *this;
    auto same = without_numbers();
    same.data_ = data_;
    same.block_ = PreparedBlock::of(*block_);
    return same;
  }
  /// What make() gives, or gave before; undefined where these numbers are not prepared. `kind` tells the
  /// forms of one tensor apart.
  template <class Make>
  Tensor prepared_form(int kind, Make const& make) const {
    if (!block_ || !block_->prepared) return {};
    return static_cast<PreparedBlock*>(block_)->forms.get(data_, kind, make);
  }

 private:
  // A header of one cache line; the numbers follow it where the host has them.
  struct Block {
    std::atomic<std::size_t> owners;
    std::size_t size;
    S* numbers;
    bool prepared = false;  // a PreparedBlock

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
    bool unique() const noexcept { return !prepared && owners.load(std::memory_order_acquire) == 1; }
    void retain() noexcept { owners.fetch_add(1, std::memory_order_relaxed); }
    void release() noexcept {
      if (owners.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
      auto const taken = size;
      if (prepared) {
        static_cast<PreparedBlock*>(this)->~PreparedBlock();
      } else if constexpr (!OnHost<B>) {
        Memory<B>::release(numbers);
      }
      MemoryPool::instance().release(this, taken);
    }
  };

  // The numbers of another block, and what kernels have made of them.
  struct PreparedBlock : Block {
    Block* owner;
    PreparedForms<Tensor> forms{};

    static Block* of(Block& owner) {
      auto* const memory = MemoryPool::instance().allocate(sizeof(PreparedBlock));
      owner.retain();
      return new (memory) PreparedBlock{{1, sizeof(PreparedBlock), owner.numbers, true}, &owner};
    }
    ~PreparedBlock() { owner->release(); }
  };

  // A count whose bytes would overflow is cut to one that no pool gives.
  static std::size_t bytes(Shape const& shape) {
    constexpr std::uint64_t too_many = MemoryPool::largest / sizeof(S) + 1;
    return static_cast<std::size_t>(std::min(static_cast<std::uint64_t>(shape.count()), too_many)) *
           sizeof(S);
  }
  [[noreturn]] static void fail_shape(char const* where, std::size_t found, Shape const& shape) {
    fail<shape_error>(where, "number of values", number_text(found),
                      number_text(shape.count()) + " for shape " + shape.text());
  }

  Shape shape_;
  Block* block_ = nullptr;
  S* data_ = nullptr;
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
