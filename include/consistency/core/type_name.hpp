// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace consistency {

/// A text of the compiler's in which T stands with all its namespaces; type_name reads it.
template <class T>
constexpr char const* type_signature() {
  return __PRETTY_FUNCTION__;
}

/// The type of a signature without namespaces: "Variable<Tensor<float, Cpu>>".
inline std::string type_name(std::string_view signature) {
  auto const begin = signature.find("T = ") + 4;
  auto const full = signature.substr(begin, signature.rfind(']') - begin);
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

template <class T>
std::string type_name() {
  return type_name(type_signature<T>());
}

}  // namespace consistency
