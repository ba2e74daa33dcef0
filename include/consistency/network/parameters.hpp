// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/autodiff/tape.hpp>
#include <consistency/core/random.hpp>
#include <consistency/network/parameter_table.hpp>
#include <consistency/tensor/random.hpp>

namespace consistency {

/// The parameters θ of a network as one value: a flat arena of numbers, and a view of each parameter in it.
/// θ, θ⁻, the average of θ and a teacher's φ are four of these. A copy has numbers of its own.
template <class V>
class Parameters;
template <class X>
class PreparedParameters;

template <class S, class B>
class Parameters<Tensor<S, B>> {
 public:
  using Arena = Tensor<S, B>;

  /// All zeros: the arena of gradients and moments too.
  explicit Parameters(ParameterTable table)
      : table_{std::make_shared<ParameterTable const>(std::move(table))}, flat_{Shape{table_->size()}, S(0)} {
    view();
  }
  Parameters(Parameters const& other) : Parameters{other.table_, other.flat_.clone()} {}
  Parameters(Parameters&&) noexcept = default;
  Parameters& operator=(Parameters other) noexcept {
    std::swap(table_, other.table_);
    std::swap(flat_, other.flat_);
    std::swap(views_, other.views_);
    return *this;
  }
  ~Parameters() = default;

  /// The initial draws of `table`; parameter i takes sample i of the key's initialization stream.
  static Parameters initialized(ParameterTable table, Key key) {
    auto theta = Parameters{std::move(table)};
    std::uint32_t i = 0;
    for (auto& v : theta.views_) {
      auto const initial = theta.table().entries()[i].initializer;
      auto const stream_key = key.with_stream(stream::initialization);
      auto const at = Counter{0, i++};
      auto const flat = Shape{1, v.count()};
      Tensor<S> const z = initial.bound == 0 ? normal<S>(flat, stream_key, at)
                                             : uniform<S>(flat, stream_key, at);  // (1, count)
      auto const scale = static_cast<S>(initial.bound == 0 ? initial.deviation : 2 * initial.bound);
      auto const shift = static_cast<S>(initial.constant - initial.bound);
      Tensor<S> numbers{v.shape()};  // as v
      for (Index j = 0; j < v.count(); ++j) numbers.mutable_data()[j] = shift + scale * z[j];
      v.assign(to<B>(numbers));
    }
    return theta;
  }

  /// The parameter of a name. Throws config_error where there is none.
  Arena const& at(std::string_view name) const { return views_[id_of(name)]; }
  /// Gives the parameter of a name other numbers. Throws config_error where there is none, and shape_error
  /// where its shape is another.
  void assign(std::string_view name, Arena const& numbers) {
    auto& to = views_[id_of(name)];
    if (numbers.shape() != to.shape())
      fail<shape_error>("Parameters::assign", std::string{name}, numbers.shape().text(), to.shape().text());
    to.assign(numbers);
  }

  Arena const& operator[](ParameterId id) const noexcept { return views_[id]; }
  ParameterTable const& table() const noexcept { return *table_; }
  Arena const& flat() const noexcept { return flat_; }
  Arena& flat() noexcept { return flat_; }

 private:
  friend PreparedParameters<Arena>;

  /// Of these numbers, not a copy.
  Parameters(std::shared_ptr<ParameterTable const> table, Arena flat)
      : table_{std::move(table)}, flat_{std::move(flat)} {
    view();
  }

  ParameterId id_of(std::string_view name) const {
    auto const found = table_->find(name);
    if (!found)
      fail<config_error>("Parameters", "name", printable(name),
                         "one of the table's " + number_text(table_->entries().size()) + " names",
                         "table().entries() lists them.");
    return *found;
  }
  void view() {
    views_.reserve(table_->entries().size());
    for (auto const& entry : table_->entries()) views_.push_back(flat_.view(entry.offset, entry.shape));
  }

  std::shared_ptr<ParameterTable const> table_;
  Arena flat_;  // (table.size())
  std::vector<Arena, PoolAllocator<Arena>> views_;
};

/// The same parameters in another backend's memory.
template <class To, class S, class B>
Parameters<Tensor<S, To>> to(Parameters<Tensor<S, B>> const& theta) {
  Parameters<Tensor<S, To>> copy{theta.table()};
  copy.flat().assign(to<To>(theta.flat()));
  return copy;
}

/// The parameters of a table by their names in θ, which may have more. Throws config_error for one that θ has
/// not, and shape_error for one of another shape.
template <class X>
Parameters<X> selected(Parameters<X> const& theta, ParameterTable const& table) {
  auto some = Parameters<X>{table};
  for (auto const& entry : table.entries()) some.assign(entry.name, theta.at(entry.name));
  return some;
}

/// The same parameters on a tape, their gradients added up in another arena.
template <class T>
class Parameters<Variable<T>> {
 public:
  /// Puts `theta` on the tape; `gradient` is an arena of the same table, usually of zeros. Called once per
  /// step on the same object, it allocates nothing.
  void watch(Tape<T>& tape, Parameters<T> const& theta, Parameters<T> const& gradient) {
    variables_.clear();
    for (ParameterId id = 0; id < theta.table().entries().size(); ++id)
      variables_.push_back(tape.watch(theta[id], gradient[id]));
  }

  Variable<T> const& operator[](ParameterId id) const noexcept { return variables_[id]; }

 private:
  std::vector<Variable<T>> variables_;
};

}  // namespace consistency
