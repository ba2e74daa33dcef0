#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace consistency {

namespace detail {

/// The compiler's text of a type lies in here, after "T = " and before the last bracket.
template <class T>
constexpr char const* with_type_name() {
  return __PRETTY_FUNCTION__;
}

}  // namespace detail

/// A type as the compiler writes it, namespaces and all.
template <class T>
constexpr std::string_view full_type_name() {
  std::string_view const text = detail::with_type_name<T>();
  auto const begin = text.find("T = ") + 4;
  return text.substr(begin, text.rfind(']') - begin);
}

/// A name from full_type_name without namespaces: "Variable<Tensor<float, Cpu>>".
inline std::string short_type_name(std::string_view full) {
  std::string name;
  std::size_t word = 0;  // where the word that is being written begins in `name`
  for (std::size_t i = 0; i < full.size(); ++i) {
    if (full.substr(i).starts_with("(anonymous namespace)")) {
      i += std::string_view{"(anonymous namespace)"}.size() - 1;
    } else if (full.substr(i).starts_with("::")) {
      name.resize(word);
      ++i;
    } else if (full.substr(i).starts_with(" >")) {
      continue;  // "> >" of old
    } else {
      name += full[i];
      if (full[i] == '<' || full[i] == ',' || full[i] == ' ') word = name.size();
    }
  }
  return name;
}

/// The name of T without namespaces.
template <class T>
std::string type_name() {
  return short_type_name(full_type_name<T>());
}

}  // namespace consistency
