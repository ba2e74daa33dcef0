// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <consistency/tensor/tensor.hpp>

namespace consistency {

/// A tensor that an operation read or made, whatever its scalar and backend.
class TracedTensor {
 public:
  struct NonFinite {
    Index at;           ///< among the numbers in row-major order
    std::string value;  ///< "nan", "inf", "-inf"
  };

  template <class S, class B>
  explicit TracedTensor(Tensor<S, B> const& x)
      : tensor_{&x}, shape_{&x.shape()}, numbers_{x.data()}, scalar_size_{sizeof(S)}, search_{search<S, B>} {}

  Shape const& shape() const noexcept { return *shape_; }
  /// Where they lie in the backend's memory; null where only the shape was kept.
  void const* numbers() const noexcept { return numbers_; }
  std::size_t bytes() const noexcept { return static_cast<std::size_t>(shape_->count()) * scalar_size_; }
  /// The first number that is not finite. Numbers on a device are copied.
  std::optional<NonFinite> first_non_finite() const { return numbers_ ? search_(tensor_) : std::nullopt; }

 private:
  template <class S, class B>
  static std::optional<NonFinite> search(void const* tensor) {
    auto const x = to<Cpu>(*static_cast<Tensor<S, B> const*>(tensor));
    for (Index i = 0; i < x.count(); ++i) {
      if constexpr (std::is_floating_point_v<S>) {
        if (!std::isfinite(x[i])) return NonFinite{i, number_text(x[i])};
      } else {
        if (!std::isfinite(x[i].real()) || !std::isfinite(x[i].imag()))
          return NonFinite{i, number_text(x[i].real()) + " + " + number_text(x[i].imag()) + "i"};
      }
    }
    return std::nullopt;
  }

  void const* tensor_;
  Shape const* shape_;
  void const* numbers_;
  std::size_t scalar_size_;
  std::optional<NonFinite> (*search_)(void const*);
};

enum class Pass : std::uint8_t { forward, backward };

/// One application of an operation, when it is done. What it refers to lives until the sink returns.
struct TraceEvent {
  std::string_view operation;  ///< see operation_name
  /// Whose parameters are among the operands; "after NAME", the last such layer before, where none are; empty
  /// before the first, and without names.
  std::string_view layer;
  Pass pass;
  std::span<TracedTensor const> operands;  ///< in the backward pass the gradient, then the operands
  std::span<TracedTensor const> results;   ///< in the backward pass the gradients that were wanted
  double start;                            ///< seconds from the beginning of the scope
  double seconds;                          ///< that it took
  double flops;  ///< multiplications and additions of a product or convolution as it is defined; 0 for others

  /// Bytes of the results' numbers, but for results that share an operand's.
  std::size_t new_bytes() const {
    std::size_t total = 0;
    for (auto const& r : results)
      if (std::none_of(operands.begin(), operands.end(),
                       [&](auto const& x) { return x.numbers() == r.numbers(); }))
        total += r.bytes();
    return total;
  }
  /// "Conv2d" or "Conv2d backward".
  std::string title() const { return std::string{operation} + (pass == Pass::backward ? " backward" : ""); }
  /// "Conv2d backward [in]": with the layer where it is known.
  std::string place() const { return title() + (layer.empty() ? "" : " [" + std::string{layer} + "]"); }
  /// One line: "Conv2d [in] (2, 8, 8, 1), (3, 3, 1, 8), (8) -> (2, 8, 8, 8), 0.0213 ms".
  std::string text() const {
    return place() + shapes(operands) + " ->" + shapes(results) + ", " + fixed_text(1e3 * seconds, 4) + " ms";
  }

 private:
  static std::string shapes(std::span<TracedTensor const> tensors) {
    std::string all;
    for (auto const& x : tensors) all += (all.empty() ? " " : ", ") + x.shape().text();
    return all;
  }
};

}  // namespace consistency
