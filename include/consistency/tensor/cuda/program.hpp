// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>

#include <consistency/core/error.hpp>
#include <consistency/tensor/scalar.hpp>

namespace consistency::cuda {

/// What one step of a program does to one or two earlier numbers.
enum class Code : std::uint8_t {
  constant,
  leaf,
  add,
  subtract,
  multiply,
  divide,
  maximum,
  negate,
  exp,
  log,
  sqrt,
  sin,
  cos,
  tanh,
  absolute,
  sign,
  relu,
  erfc
};

/// slot[to] ← code(slot[a], slot[b]); of a constant or a leaf, a is its number.
struct Instruction {
  Code code;
  std::uint8_t to, a, b;
};

/// An element-wise function as data: what a device computes for each element, whatever the compiler of the
/// calling code. Results lie in the slots of `outputs`.
struct Program {
  static constexpr int max_leaves = 24, max_outputs = 12, max_constants = 24, max_length = 120,
                       max_slots = 32;
  int length = 0, constants = 0, outputs = 0;
  double constant[max_constants] = {};
  Instruction code[max_length] = {};
  std::uint8_t output[max_outputs] = {};
};

/// Writes the program of a function that is called with symbols for numbers. What is computed twice is
/// computed once, and sums and products with constants 0 and 1 vanish: derivatives by Jet<Symbol> become what
/// one would write by hand.
class Tracer {
 public:
  static Tracer& current() {
    thread_local Tracer tracer;
    return tracer;
  }

  void clear() { length_ = constants_ = 0; }

  int record(Code code, int a = 0, int b = 0) {
    for (int i = 0; i < length_; ++i)
      if (nodes_[i].code == code && nodes_[i].a == a && nodes_[i].b == b) return i;
    if (length_ == Program::max_length) too_long("operations", Program::max_length);
    nodes_[length_] = {code, a, b};
    return length_++;
  }
  int constant(double value) {
    int i = 0;
    while (i < constants_ && !(constant_[i] == value && std::signbit(constant_[i]) == std::signbit(value)))
      ++i;
    if (i == Program::max_constants) too_long("constants", Program::max_constants);
    constant_[i] = value;
    if (i == constants_) ++constants_;
    return record(Code::constant, i);
  }

  /// The program of the nodes in `outputs`; the slots of numbers that are not read again are used anew.
  template <std::size_t N>
  Program program(std::array<int, N> const& outputs, int count) const {
    Program p;
    p.constants = constants_;
    for (int i = 0; i < constants_; ++i) p.constant[i] = constant_[i];
    int last[Program::max_length] = {};  // the last step that reads a node; beyond the end for outputs
    bool needed[Program::max_length] = {};
    for (int k = 0; k < count; ++k) needed[outputs[k]] = true, last[outputs[k]] = length_;
    for (int i = length_; i-- > 0;)
      if (needed[i]) {
        auto const read = [&](int node) {
          needed[node] = true;
          if (last[node] < i) last[node] = i;
        };
        if (operands(nodes_[i].code) > 0) read(nodes_[i].a);
        if (operands(nodes_[i].code) > 1) read(nodes_[i].b);
      }
    int slot[Program::max_length] = {};
    bool taken[Program::max_slots] = {};
    for (int i = 0; i < length_; ++i) {
      if (!needed[i]) continue;
      auto const n = operands(nodes_[i].code);
      auto const from = [&](int node) { return static_cast<std::uint8_t>(slot[node]); };
      auto const a = n > 0 ? from(nodes_[i].a) : static_cast<std::uint8_t>(nodes_[i].a);
      auto const b = n > 1 ? from(nodes_[i].b) : std::uint8_t{0};
      if (n > 0 && last[nodes_[i].a] == i) taken[a] = false;
      if (n > 1 && last[nodes_[i].b] == i) taken[b] = false;
      int free = 0;
      while (free < Program::max_slots && taken[free]) ++free;
      if (free == Program::max_slots) too_long("numbers at a time", Program::max_slots);
      taken[free] = true;
      slot[i] = free;
      p.code[p.length++] = {nodes_[i].code, static_cast<std::uint8_t>(free), a, b};
    }
    for (int k = 0; k < count; ++k) p.output[p.outputs++] = static_cast<std::uint8_t>(slot[outputs[k]]);
    return p;
  }

 private:
  struct Node {
    Code code;
    int a, b;
  };

  static int operands(Code code) {
    if (code <= Code::leaf) return 0;
    return code < Code::negate ? 2 : 1;  // those before negate take two
  }
  [[noreturn]] static void too_long(char const* what, int most) {
    fail<config_error>("Tensor<S, Cuda>", "element-wise chain", std::string{"more "} + what,
                       "at most " + number_text(most) + " " + what,
                       "Evaluate a part of it first, with evaluated(...).");
  }

  Node nodes_[Program::max_length];
  double constant_[Program::max_constants];
  int length_ = 0, constants_ = 0;
};

/// A number that does not exist yet: arithmetic on it is recorded by the current tracer.
class Symbol {
 public:
  Symbol() = default;
  explicit Symbol(double constant) : value_{constant} {}
  static Symbol leaf(int k) { return Symbol{Code::leaf, k}; }
  /// The node that holds it, a constant's too.
  int node() const { return node_ < 0 ? Tracer::current().constant(value_) : node_; }

  friend Symbol operator+(Symbol a, Symbol b) {
    if (a.is(0)) return b;
    if (b.is(0)) return a;
    return binary(Code::add, a, b, a.value_ + b.value_);
  }
  friend Symbol operator-(Symbol a, Symbol b) {
    if (a.is(0)) return -b;
    if (b.is(0)) return a;
    return binary(Code::subtract, a, b, a.value_ - b.value_);
  }
  friend Symbol operator*(Symbol a, Symbol b) {
    if (a.is(0) || b.is(0)) return Symbol{0.0};
    if (a.is(1)) return b;
    if (b.is(1)) return a;
    return binary(Code::multiply, a, b, a.value_ * b.value_);
  }
  friend Symbol operator/(Symbol a, Symbol b) {
    if (a.is(0) || b.is(1)) return a;
    return binary(Code::divide, a, b, a.value_ / b.value_);
  }
  friend Symbol maximum(Symbol a, Symbol b) {
    return binary(Code::maximum, a, b, scalar::maximum(a.value_, b.value_));
  }
  friend Symbol operator-(Symbol a) { return unary(Code::negate, a, -a.value_); }
  friend Symbol exp(Symbol a) { return unary(Code::exp, a, std::exp(a.value_)); }
  friend Symbol log(Symbol a) { return unary(Code::log, a, std::log(a.value_)); }
  friend Symbol sqrt(Symbol a) { return unary(Code::sqrt, a, std::sqrt(a.value_)); }
  friend Symbol sin(Symbol a) { return unary(Code::sin, a, std::sin(a.value_)); }
  friend Symbol cos(Symbol a) { return unary(Code::cos, a, std::cos(a.value_)); }
  friend Symbol tanh(Symbol a) { return unary(Code::tanh, a, std::tanh(a.value_)); }
  friend Symbol abs(Symbol a) { return unary(Code::absolute, a, std::abs(a.value_)); }
  friend Symbol sign(Symbol a) { return unary(Code::sign, a, scalar::sign(a.value_)); }
  friend Symbol relu(Symbol a) { return unary(Code::relu, a, scalar::relu(a.value_)); }
  friend Symbol erfc(Symbol a) { return unary(Code::erfc, a, std::erfc(a.value_)); }

 private:
  Symbol(Code code, int a, int b = 0) : node_{Tracer::current().record(code, a, b)} {}
  bool is(double c) const { return node_ < 0 && value_ == c; }
  static Symbol unary(Code code, Symbol a, double folded) {
    return a.node_ < 0 ? Symbol{folded} : Symbol{code, a.node_};
  }
  static Symbol binary(Code code, Symbol a, Symbol b, double folded) {
    if (a.node_ < 0 && b.node_ < 0) return Symbol{folded};
    auto const left = a.node();
    return Symbol{code, left, b.node()};
  }

  double value_ = 0;
  int node_ = -1;  // a constant
};

}  // namespace consistency::cuda
