// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include <consistency/core/memory.hpp>

namespace consistency {

/// What kernels make of numbers that do not change, such as weights in panels or transformed for Winograd's
/// convolution. Any threads may ask at the same time, without a lock that a child of `fork` might find
/// taken; at worst two make the same form.
template <class T>
class PreparedForms {
 public:
  PreparedForms() = default;
  PreparedForms(PreparedForms const&) = delete;
  PreparedForms& operator=(PreparedForms const&) = delete;
  ~PreparedForms() {
    for (auto* form = first_.load(std::memory_order_relaxed); form != nullptr;) {
      auto* const next = form->next;
      std::destroy_at(form);
      Allocator{}.deallocate(form, 1);
      form = next;
    }
  }

  /// What make() gives for the numbers at `of`, or gave before; `kind` tells the forms of one tensor apart.
  template <class Make>
  T get(typename T::Scalar const* of, int kind, Make const& make) {
    for (auto const* form = first_.load(std::memory_order_acquire); form != nullptr; form = form->next)
      if (form->of == of && form->kind == kind) return form->value;
    auto made = make();
    auto* const form =
        std::construct_at(Allocator{}.allocate(1), of, kind, made, first_.load(std::memory_order_relaxed));
    while (!first_.compare_exchange_weak(form->next, form, std::memory_order_release,
                                         std::memory_order_relaxed)) {
    }
    return made;
  }

 private:
  struct Form {
    Form(typename T::Scalar const* numbers, int form_kind, T form_value, Form* next_form)
        : of{numbers}, kind{form_kind}, value{std::move(form_value)}, next{next_form} {}

    typename T::Scalar const* of;
    int kind;
    T value;
    Form* next;
  };
  using Allocator = PoolAllocator<Form>;

  std::atomic<Form*> first_ = nullptr;
};

}  // namespace consistency
