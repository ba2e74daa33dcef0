// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <consistency/core/check.hpp>
#include <consistency/core/glob.hpp>
#include <consistency/optimizer/optimizer.hpp>

namespace consistency {

/// Parameters by name, * standing for any text, and the optimizer that moves them.
template <Optimizer O>
struct Group {
  std::vector<std::string> names;
  O optimizer;

  bool has(std::string_view name) const {
    return std::any_of(names.begin(), names.end(),
                       [&](auto const& pattern) { return matches(pattern, name); });
  }
};

namespace detail {

/// All names of the state of several optimizers, each once.
template <class... O>
constexpr auto joined_names() {
  constexpr auto join = [] {
    std::array<std::string_view, 1 + (O::state_names.size() + ...)> all{};
    std::size_t count = 0;
    auto const add = [&](auto const& names) {
      for (auto const name : names)
        if (std::find(all.begin(), all.begin() + count, name) == all.begin() + count) all[count++] = name;
    };
    (add(O::state_names), ...);
    return std::pair{all, count};
  }();
  std::array<std::string_view, join.second> names{};
  std::copy_n(join.first.begin(), join.second, names.begin());
  return names;
}

}  // namespace detail

/// An optimizer for each group of parameters: Groups{Group{{"out.*"}, Frozen{}}, Group{{"hidden*"}, Adam{}}}.
/// Every parameter is in one group. Groups share state of one name, each its own parameters' numbers.
template <class... O>
class Groups {
 public:
  static constexpr auto state_names = detail::joined_names<O...>();
  static_assert(state_names.size() <= 8, "Groups: the optimizers keep more than eight kinds of state");

  explicit Groups(Group<O>... groups) : groups_{std::move(groups)...} {}

  /// Throws config_error for settings of one that cannot be, and a parameter that is in no group, or in two.
  void check(ParameterTable const& table) const {
    std::apply([](auto const&... group) { (check_settings(group.optimizer), ...); }, groups_);
    for (auto const& entry : table.entries()) {
      auto const count = std::apply(
          [&](auto const&... group) { return (Index{0} + ... + Index{group.has(entry.name)}); }, groups_);
      if (count != 1)
        fail<config_error>("Groups", "parameter " + entry.name, "in " + number_text(count) + " groups",
                           "each parameter in one group",
                           count == 0 ? "Add its name to a group; Frozen{} leaves it as it is."
                                      : "Make the names of the groups apart.");
    }
  }

  template <class X>
  void update(Update<X>& u) const {
    std::apply([&](auto const&... group) { (update_group(group, u), ...); }, groups_);
  }
  std::string text() const {
    std::string all = "Groups{";
    std::apply([&](auto const&... group) { (add_text(all, group), ...); }, groups_);
    return all + "}";
  }

 private:
  /// The parameters of a group that lie side by side are updated together.
  template <class One, class X>
  static void update_group(Group<One> const& group, Update<X> const& u) {
    std::array<std::size_t, One::state_names.size()> states{};
    for (std::size_t i = 0; i < states.size(); ++i)
      states[i] = static_cast<std::size_t>(
          std::find(state_names.begin(), state_names.end(), One::state_names[i]) - state_names.begin());
    for (std::size_t begin = 0; begin < u.entries.size();) {
      auto end = begin;
      while (end < u.entries.size() && group.has(u.entries[end].name)) ++end;
      if (end > begin) {
        auto part = u.part(u.entries.subspan(begin, end - begin), states);
        group.optimizer.update(part);
      }
      begin = end + 1;
    }
  }
  static void add_text(std::string& all, auto const& group) {
    for (auto const& name : group.names) all += name + " ";
    if constexpr (requires { group.optimizer.text(); }) all += group.optimizer.text() + "; ";
  }

  std::tuple<Group<O>...> groups_;
};
template <class... O>
Groups(Group<O>...) -> Groups<O...>;

}  // namespace consistency
