// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/core/error.hpp>
#include <consistency/core/shape.hpp>

namespace consistency {

/// The most channels of a layer: no product of a layer's sizes wraps.
inline constexpr Index max_channels = Index{1} << 21U;

/// The initial distribution of weights, up to a gain.
enum class WeightDistribution : std::uint8_t {
  fan_in,          ///< N(0, 1 / fan_in), which keeps the variance of a linear map's output at its input's
  xavier_uniform,  ///< uniform, variance 2 / (fan_in + fan_out) (Glorot & Bengio 2010)
  torch            ///< uniform on ±1 / √fan_in, biases too: PyTorch's own
};

/// The initial numbers of a parameter: a constant, and normal draws of a standard deviation or uniform draws
/// within a bound.
struct Initializer {
  double constant = 0;
  double deviation = 0;
  double bound = 0;  ///< uniform on (−bound, bound) where it is not 0

  static Initializer zeros() { return {}; }
  static Initializer ones() { return {.constant = 1}; }
  /// N(0, gain² / fan_in): keeps the variance of a linear map's output at gain² times its input's.
  static Initializer variance(Index fan_in, double gain = 1) {
    return {.deviation = gain / std::sqrt(static_cast<double>(fan_in))};
  }
  /// Of the layer's biases: zeros but for PyTorch's.
  static Initializer biases(WeightDistribution distribution, Index fan_in, double gain) {
    if (distribution != WeightDistribution::torch) return zeros();
    return {.bound = gain / std::sqrt(static_cast<double>(fan_in))};
  }
  static Initializer weights(WeightDistribution distribution, Index fan_in, Index fan_out, double gain) {
    if (distribution == WeightDistribution::fan_in) return variance(fan_in, gain);
    if (distribution == WeightDistribution::torch) return biases(distribution, fan_in, gain);
    return {.bound = gain * std::sqrt(6 / (static_cast<double>(fan_in) + static_cast<double>(fan_out)))};
  }
};

/// The axes that PyTorch's files give a weight, where they do not follow from its rank.
enum class TorchAxes : std::uint8_t {
  by_rank,         ///< (o, i, h, w) of our (h, w, i, o), (o, i) of (i, o), others as they are
  line,            ///< of a convolution along one axis: (o, i, k) of our (1, k, i, o)
  transposed_line  ///< of a transposed one, window 4 and stride 2: (i, o, 4) of our (2, i, 2 · o), which has
                   ///< tap 2 − 2a + b of output o at (a, i, b · outputs + o)
};

/// The place of one parameter in every arena of its network.
using ParameterId = std::size_t;

/// What a network's parameters are called, how they are shaped and where they lie in a flat arena. Offsets
/// are multiples of 64 bytes in float32; the gaps stay 0.
class ParameterTable {
 public:
  struct Entry {
    std::string name;
    Shape shape;
    Index offset;
    Initializer initializer;
    Index interleaved;      ///< see `add`
    TorchAxes axes;         ///< in files
    bool constant = false;  ///< see `add_constant`
  };

  /// A setting that changes what parameters mean, and neither their names nor their shapes. Files say it, and
  /// loading compares it.
  struct Convention {
    std::string name, value;
    std::string before;  ///< the value of files that do not say
  };

  /// A tensor in the files of the program that names and layouts are taken from, which is no parameter here.
  struct ForeignTensor {
    std::string name;
    std::optional<double> value;  ///< of every number; none: what the network computes does not depend on it
  };

  /// The most numbers that an arena has: their bytes fit 63 bits for every scalar.
  static constexpr Index limit = std::numeric_limits<Index>::max() / 32;

  /// Throws config_error where the name is taken, the shape is empty, or there would be too many numbers.
  /// `interleaved` maps m of c channels each lie one after the other along the last axis here, and as channel
  /// m · j + i (map i, channel j) in PyTorch's files.
  ParameterId add(std::string name, Shape shape, Initializer initializer, Index interleaved = 1,
                  TorchAxes axes = TorchAxes::by_rank) {
    constexpr Index line = 16;
    if (find(name))
      fail<config_error>("ParameterTable", "parameter name", name + " twice", "unique names", advice);
    if (shape.count() < 1)
      fail<config_error>("ParameterTable", "parameter " + name, shape.text(), "one number or more", advice);
    if (shape.count() > limit - line - size_)
      fail<config_error>("ParameterTable", "parameter " + name,
                         shape.text() + " after " + number_text(count_) + " numbers",
                         "at most " + number_text(limit) + " numbers in all", advice);
    if (interleaved < 1 || shape.back() % interleaved != 0)
      fail<config_error>("ParameterTable", "parameter " + name,
                         number_text(shape.back()) + " channels in " + number_text(interleaved) + " maps",
                         "a multiple of the maps", advice);
    entries_.push_back({std::move(name), shape, size_, initializer, interleaved, axes});
    size_ += (shape.count() + line - 1) / line * line;
    count_ += shape.count();
    index();
    return entries_.size() - 1;
  }
  /// Numbers that are drawn or read with the parameters, and that no optimizer moves. Throws as `add` does.
  ParameterId add_constant(std::string name, Shape shape, Initializer initializer) {
    auto const id = add(std::move(name), shape, initializer);
    entries_[id].constant = true;
    return id;
  }
  void add_convention(Convention convention) { conventions_.push_back(std::move(convention)); }
  void add_foreign(ForeignTensor tensor) { foreign_.push_back(std::move(tensor)); }

  std::vector<Entry> const& entries() const noexcept { return entries_; }
  std::vector<Convention> const& conventions() const noexcept { return conventions_; }
  std::vector<ForeignTensor> const& foreign() const noexcept { return foreign_; }
  /// The parameter of that name.
  std::optional<ParameterId> find(std::string_view name) const {
    if (slots_.empty()) return std::nullopt;
    auto const& slot = slots_[slot_of(name)];
    return slot == 0 ? std::nullopt : std::optional{ParameterId{slot - 1}};
  }
  /// Whether both tables have the same names and shapes in the same places.
  bool same_layout(ParameterTable const& other) const {
    return std::equal(entries_.begin(), entries_.end(), other.entries_.begin(), other.entries_.end(),
                      [](Entry const& a, Entry const& b) { return a.name == b.name && a.shape == b.shape; });
  }
  /// Whether parameters of the one mean the same in a network of the other: layouts and conventions agree.
  bool same_meaning(ParameterTable const& other) const {
    return same_layout(other) &&
           std::equal(conventions_.begin(), conventions_.end(), other.conventions_.begin(),
                      other.conventions_.end(), [](Convention const& a, Convention const& b) {
                        return a.name == b.name && a.value == b.value;
                      });
  }
  /// How many parameters and numbers, and the conventions.
  std::string text() const {
    auto all = number_text(entries_.size()) + " parameters of " + number_text(count_) + " numbers";
    for (auto const& convention : conventions_) all += ", ." + convention.name + " = " + convention.value;
    return all;
  }
  Index size() const noexcept { return size_; }    ///< of an arena, gaps included
  Index count() const noexcept { return count_; }  ///< of parameters

 private:
  static constexpr auto advice = "Give each layer a name of its own, and sizes from 1 on.";

  /// Where a name stands, or the free slot that it would take: open addressing, at most half full.
  std::size_t slot_of(std::string_view name) const {
    std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a
    for (char const c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    auto const mask = slots_.size() - 1;
    auto at = static_cast<std::size_t>(hash ^ (hash >> 32U)) & mask;
    while (slots_[at] != 0 && entries_[slots_[at] - 1].name != name) at = (at + 1) & mask;
    return at;
  }
  /// Enters the last parameter, or all of them into twice the slots.
  void index() {
    auto first = entries_.size() - 1;
    if (2 * entries_.size() > slots_.size()) {
      slots_.assign(std::max<std::size_t>(64, 2 * slots_.size()), 0);
      first = 0;
    }
    for (auto id = first; id < entries_.size(); ++id)
      slots_[slot_of(entries_[id].name)] = static_cast<std::uint32_t>(id + 1);
  }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;  // of names: id + 1, or 0
  std::vector<Convention> conventions_;
  std::vector<ForeignTensor> foreign_;
  Index size_ = 0;
  Index count_ = 0;
};

}  // namespace consistency
