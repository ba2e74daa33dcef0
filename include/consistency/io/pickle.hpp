// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/pickle_value.hpp>

namespace consistency {

/// Values of Python's pickle format, protocols 2 to 5, without running any code: a call stays a value that
/// names what would be called, and only what `allowed` says may be called. Throws format_error, naming byte
/// and opcode: truncated, an opcode that no file of tensors needs, a global that is not allowed, too many
/// values.
class Pickle {
 public:
  template <class Allowed>
  Pickle(ByteView bytes, std::string name, Allowed const& allowed) : bytes_{bytes}, name_{std::move(name)} {
    while (!done_) step(allowed);
    if (stack_.size() != 1) fail_here("values at the end", number_text(stack_.size()), "one");
  }
  Pickle(Pickle const&) = delete;
  Pickle& operator=(Pickle const&) = delete;

  PickleValue const& value() const { return *stack_.front(); }

 private:
  using Kind = PickleValue::Kind;
  static constexpr std::size_t most_values = 200'000;  // a model has some dozens for each tensor
  static constexpr std::size_t most_parts = 1'000'000;
  static constexpr int most_depth = 64;

  [[noreturn]] void fail_here(std::string what, std::string found, std::string expected) const {
    fail<format_error>(name_, "pickle: " + std::move(what),
                       std::move(found) + " at byte " + number_text(opcode_at_), std::move(expected),
                       "Save a state dict alone: torch.save(model.state_dict(), path).");
  }
  ByteView take(std::uint64_t count) {
    if (count > bytes_.size() - at_)
      fail_here("truncated", number_text(bytes_.size()) + " bytes", "more bytes");
    auto const part = bytes_.subspan(at_, static_cast<std::size_t>(count));
    at_ += static_cast<std::size_t>(count);
    return part;
  }
  template <class Number>
  std::uint64_t number() {
    return load_little<Number>(take(sizeof(Number)));
  }
  std::string_view line() {
    auto const rest = bytes_text(bytes_.subspan(at_));
    auto const end = rest.find('\n');
    if (end == std::string_view::npos) fail_here("truncated", "a name without an end", "more bytes");
    at_ += end + 1;
    return rest.substr(0, end);
  }

  PickleValue& make(Kind kind) {
    if (values_.size() >= most_values) fail_here("values", "more than " + number_text(most_values), "fewer");
    auto& value = values_.emplace_back();
    value.kind = kind;
    return value;
  }
  PickleValue& push(Kind kind) {
    auto& value = make(kind);
    stack_.push_back(&value);
    return value;
  }
  void push_text(ByteView bytes) { push(Kind::text).text = bytes_text(bytes); }
  void push_integer(std::int64_t value, Kind kind = Kind::integer) { push(kind).integer = value; }

  PickleValue const* pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()))
      fail_here("stack", "no value", "a value before it");
    auto const* const value = stack_.back();
    stack_.pop_back();
    return value;
  }
  std::vector<PickleValue const*> pop_to_mark() {
    if (marks_.empty()) fail_here("stack", "no mark", "a mark before it");
    std::vector<PickleValue const*> parts(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()),
                                          stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return parts;
  }
  void add(PickleValue& to, PickleValue const* part) {
    if (part->depth >= most_depth)
      fail_here("values within values", number_text(part->depth), "fewer than 64");
    if (++parts_ > most_parts)
      fail_here("values within values", "more than " + number_text(most_parts), "fewer");
    to.depth = std::max(to.depth, part->depth + 1);
    to.parts.push_back(part);
  }
  /// The last values, in the order in which they were pushed.
  std::vector<PickleValue const*> popped(std::size_t count) {
    std::vector<PickleValue const*> parts(count);
    for (auto& part : std::ranges::reverse_view(parts)) part = pop();
    return parts;
  }
  /// Adds to the list or dictionary below.
  void fill(Kind kind, std::vector<PickleValue const*> const& parts) {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()) || !stack_.back()->is(kind))
      fail_here("stack", "another value", kind == Kind::list ? "a list" : "a dictionary");
    if (kind == Kind::dictionary && parts.size() % 2 != 0)
      fail_here("dictionary", "a key without a value", "pairs");
    auto& container = const_cast<PickleValue&>(*stack_.back());  // made by this object
    for (auto const* const part : parts) add(container, part);
  }
  void push_tuple(std::vector<PickleValue const*> const& parts) {
    auto& tuple = push(Kind::tuple);
    for (auto const* const part : parts) add(tuple, part);
  }
  template <class Allowed>
  void push_global(std::string_view module, std::string_view name, Allowed const& allowed) {
    auto& text = names_.emplace_back(std::string{module} + " " + std::string{name});
    if (!allowed(std::string_view{text}))
      fail_here("it asks to run code",
                "'" + printable(std::string{module} + "." + std::string{name}) + "' (GLOBAL)",
                "tensors and containers alone");
    push(Kind::global).text = text;
  }
  /// A call of the global below its arguments.
  void push_call() {
    auto const* const arguments = pop();
    auto const* const called = pop();
    if (!called->is(Kind::global) || !arguments->is(Kind::tuple))
      fail_here("it asks to run code", "a call of what is no known name (REDUCE)",
                "tensors and containers alone");
    auto& call = make(Kind::call);
    add(call, called);
    for (auto const* const part : arguments->parts) add(call, part);
    if (called->text == "collections OrderedDict") call.kind = Kind::dictionary, call.parts.clear();
    stack_.push_back(&call);
  }
  void remember(std::uint64_t index) {
    if (stack_.empty()) fail_here("memo", "no value", "a value before it");
    if (index >= most_values) fail_here("memo", number_text(index), "less than " + number_text(most_values));
    if (index >= memo_.size()) memo_.resize(static_cast<std::size_t>(index) + 1);
    memo_[static_cast<std::size_t>(index)] = stack_.back();
  }
  void recall(std::uint64_t index) {
    if (index >= memo_.size() || memo_[static_cast<std::size_t>(index)] == nullptr)
      fail_here("memo", number_text(index), "a value that was put there");
    stack_.push_back(memo_[static_cast<std::size_t>(index)]);
    if (stack_.size() > most_values) fail_here("values", "more than " + number_text(most_values), "fewer");
  }

  template <class Allowed>
  void step(Allowed const& allowed) {
    opcode_at_ = at_;
    auto const opcode = static_cast<unsigned char>(number<std::uint8_t>());
    auto const byte = [&] { return number<std::uint8_t>(); };
    auto const word = [&] { return number<std::uint32_t>(); };
    switch (opcode) {
      case 0x80:  // PROTO
        take(1);
        return;
      case 0x95:  // FRAME
        take(8);
        return;
      case '.':  // STOP
        done_ = true;
        return;
      case '(':  // MARK
        marks_.push_back(stack_.size());
        return check_marks();
      case 'N':  // NONE
        push(Kind::none);
        return;
      case 0x88:  // NEWTRUE
      case 0x89:  // NEWFALSE
        return push_integer(opcode == 0x88 ? 1 : 0, Kind::boolean);
      case 'K':  // BININT1
        return push_integer(static_cast<std::int64_t>(byte()));
      case 'M':  // BININT2
        return push_integer(static_cast<std::int64_t>(number<std::uint16_t>()));
      case 'J':  // BININT
        return push_integer(static_cast<std::int32_t>(word()));
      case 0x8a:  // LONG1
        return push_integer(long_integer(take(byte())));
      case 'G':  // BINFLOAT
        take(8);
        push(Kind::real);
        return;
      case 'X':  // BINUNICODE
      case 'T':  // BINSTRING
      case 'B':  // BINBYTES
        return push_text(take(word()));
      case 0x8c:  // SHORT_BINUNICODE
      case 'U':   // SHORT_BINSTRING
      case 'C':   // SHORT_BINBYTES
        return push_text(take(byte()));
      case 0x8d:  // BINUNICODE8
        return push_text(take(number<std::uint64_t>()));
      case ')':  // EMPTY_TUPLE
        push(Kind::tuple);
        return;
      case ']':  // EMPTY_LIST
        push(Kind::list);
        return;
      case '}':  // EMPTY_DICT
        push(Kind::dictionary);
        return;
      case 0x85:  // TUPLE1
      case 0x86:  // TUPLE2
      case 0x87:  // TUPLE3
        return push_tuple(popped(opcode - 0x84U));
      case 't':  // TUPLE
        return push_tuple(pop_to_mark());
      case 'a':  // APPEND
        return fill(Kind::list, popped(1));
      case 'e':  // APPENDS
        return fill(Kind::list, pop_to_mark());
      case 's':  // SETITEM
        return fill(Kind::dictionary, popped(2));
      case 'u':  // SETITEMS
        return fill(Kind::dictionary, pop_to_mark());
      case 'q':  // BINPUT
        return remember(byte());
      case 'r':  // LONG_BINPUT
        return remember(word());
      case 0x94:  // MEMOIZE
        return remember(memo_.size());
      case 'h':  // BINGET
        return recall(byte());
      case 'j':  // LONG_BINGET
        return recall(word());
      case 'c': {  // GLOBAL
        auto const module = line();
        return push_global(module, line(), allowed);
      }
      case 0x93: {  // STACK_GLOBAL
        auto const names = popped(2);
        if (!names[0]->is(Kind::text) || !names[1]->is(Kind::text))
          fail_here("global", "no name", "two texts");
        return push_global(names[0]->text, names[1]->text, allowed);
      }
      case 'Q': {  // BINPERSID
        auto& call = make(Kind::call);
        add(call, pop());
        stack_.push_back(&call);
        return;
      }
      case 'R':   // REDUCE
      case 0x81:  // NEWOBJ
        return push_call();
      case 'b':  // BUILD: attributes beside the numbers
      case '0':  // POP
        pop();
        return;
      default:
        fail_here("opcode", "0x" + hexadecimal(opcode), "one that a file of tensors needs");
    }
  }

  void check_marks() const {
    if (marks_.size() > most_depth) fail_here("values within values", "more than 64", "fewer");
  }
  static std::string hexadecimal(unsigned byte) {
    constexpr auto digits = std::string_view{"0123456789abcdef"};
    return {digits[byte >> 4U & 15U], digits[byte & 15U]};
  }
  static std::int64_t long_integer(ByteView bytes) {
    std::uint64_t value =
        !bytes.empty() && (bytes.back() & std::byte{0x80}) != std::byte{0} ? ~std::uint64_t{0} : 0;
    for (std::size_t i = std::min<std::size_t>(bytes.size(), 8); i-- > 0;)
      value = value << 8U | std::to_integer<std::uint64_t>(bytes[i]);
    return static_cast<std::int64_t>(value);
  }

  ByteView bytes_;
  std::string name_;
  std::size_t at_ = 0, opcode_at_ = 0;
  bool done_ = false;
  std::size_t parts_ = 0;  // of all values
  std::deque<PickleValue> values_;
  std::deque<std::string> names_;
  std::vector<PickleValue const*> stack_, memo_;
  std::vector<std::size_t> marks_;
};

}  // namespace consistency
