// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <consistency/core/error.hpp>
#include <consistency/core/type_name.hpp>

namespace consistency {

namespace detail {

/// Reads the type of an element-wise chain, such as Binary<Add, Leaf, Constant>, as the formula that it is.
class FormulaReader {
 public:
  explicit FormulaReader(std::string_view type) : rest_{type} {}

  std::string read() { return term().text; }

 private:
  enum Strength { sum = 1, product = 2, unary = 3, whole = 4 };  // how tightly the outermost operator binds
  struct Term {
    std::string text;
    int strength = whole;
  };

  Term term() {
    auto const name = word();
    if (name == "Leaf") return {operand()};
    if (name == "Constant") return {"k"};
    if (!take('<')) return {std::string{name}};
    auto formula = name == "Unary"     ? function(word())
                   : name == "Binary"  ? binary(word())
                   : name == "Tangent" ? tangent()
                                       : Term{std::string{name} + "<" + std::string{until_closed()} + ">"};
    take('>');
    return formula;
  }

  Term function(std::string_view name) {
    take(',');
    auto a = term();
    if (name == "Negate") return {joined("-", within(std::move(a), unary), ""), unary};
    return {call(name) + "(" + a.text + ")"};
  }
  Term binary(std::string_view name) {
    take(',');
    auto a = term();
    take(',');
    auto b = term();
    auto const strength = name == "Add" || name == "Subtract" ? sum : product;
    auto const* const symbol = name == "Add"        ? " + "
                               : name == "Subtract" ? " - "
                               : name == "Multiply" ? " * "
                               : name == "Divide"   ? " / "
                                                    : nullptr;
    if (!symbol) return {call(name) + "(" + a.text + ", " + b.text + ")"};
    return {within(std::move(a), strength) + symbol + within(std::move(b), strength + 1), strength};
  }
  Term tangent() { return {joined("d(", term().text, ")")}; }

  static std::string within(Term term, int least) {
    return term.strength < least ? joined("(", term.text, ")") : std::move(term.text);
  }
  // With `before + std::move(text)` g++ 12 warns of an overlap that is none (bug 105329).
  static std::string joined(char const* before, std::string const& text, char const* after) {
    auto all = std::string{before};
    all += text;
    all += after;
    return all;
  }
  /// a, b, …, z, a1, b1, …
  std::string operand() {
    auto const round = operands_ / 26;
    auto name = std::string(1, static_cast<char>('a' + operands_++ % 26));
    return round == 0 ? name : name + number_text(round);
  }
  static std::string call(std::string_view name) {
    std::string lower{name};
    for (auto& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
  }

  std::string_view word() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
    auto const end = rest_.find_first_of("<,>");
    auto const found = rest_.substr(0, end);
    rest_.remove_prefix(found.size());
    return found;
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view until_closed() {
    auto const all = rest_;
    for (int open = 0; !rest_.empty() && (open > 0 || rest_.front() != '>'); rest_.remove_prefix(1))
      open += rest_.front() == '<' ? 1 : rest_.front() == '>' ? -1 : 0;
    return all.substr(0, all.size() - rest_.size());
  }

  std::string_view rest_;
  int operands_ = 0;
};

}  // namespace detail

/// What an operation is called, from the type_signature of its settings: "Conv2d"; of an element-wise chain
/// its formula with operands a, b, … and numbers k: "a + k * silu(b)", and d(…) for its derivative along a
/// direction.
inline std::string operation_name(std::string_view signature) {
  auto name = type_name(signature);
  constexpr auto chain = std::string_view{"Pointwise<"};
  if (!name.starts_with(chain)) return name;
  return detail::FormulaReader{std::string_view{name}.substr(chain.size())}.read();
}

}  // namespace consistency
