// SPDX-License-Identifier: MIT
#pragma once

// Axes of policies, and the product of them, at compile time.

#include <tuple>

namespace policies {

/// A policy with its name in tables. Of the name "" it is not mentioned.
template <class P>
struct Named {
  using Policy = P;
  char const* name;
  P policy;
};
template <class P>
Named(char const*, P) -> Named<P>;

template <class... P>
using Axis = std::tuple<Named<P>...>;

template <class... P>
Axis<P...> axis(Named<P>... policies) {
  return Axis<P...>{policies...};
}

/// Whatever the method takes where nothing is named.
struct Usual {};
inline auto usual() { return axis(Named{"", Usual{}}); }

/// Calls visit(a, b, …) for every a of the first axis, b of the second, …
template <class Visit, class... Chosen>
void for_each_choice(Visit const& visit, std::tuple<Chosen...> const& chosen) {
  std::apply(visit, chosen);
}
template <class Visit, class... Chosen, class... P, class... Axes>
void for_each_choice(Visit const& visit, std::tuple<Chosen...> const& chosen, Axis<P...> const& first,
                     Axes const&... rest) {
  std::apply(
      [&](auto const&... policy) {
        (for_each_choice(visit, std::tuple_cat(chosen, std::tuple<decltype(policy)>{policy}), rest...), ...);
      },
      first);
}

/// How many choices Fits<A, B, …> holds of.
template <template <class...> class Fits, class Chosen, class... Axes>
struct CountChoices;
template <template <class...> class Fits, class... Chosen>
struct CountChoices<Fits, std::tuple<Chosen...>> {
  static constexpr int value = Fits<Chosen...>::value ? 1 : 0;
};
template <template <class...> class Fits, class... Chosen, class... P, class... Axes>
struct CountChoices<Fits, std::tuple<Chosen...>, Axis<P...>, Axes...> {
  static constexpr int value = (0 + ... + CountChoices<Fits, std::tuple<Chosen..., P>, Axes...>::value);
};

}  // namespace policies
