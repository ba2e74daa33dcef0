// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <consistency/core/finite_math.hpp>

namespace consistency {

/// Stable numbers, one per type of error; programs may print or compare them.
enum class ErrorCode : std::uint8_t {
  config = 1,
  shape = 2,
  io = 3,
  format = 4,
  integrity = 5,
  mismatch = 6,
  dataset = 7,
  numeric = 8,
  resource = 9,
  device = 10,
  distributed = 11,
};

/// What every error says: where it happened, what is wrong, what was found and expected, and what to do.
struct ErrorReport {
  std::string where;     ///< the entry point, file or layer, e.g. "KarrasGrid"
  std::string what;      ///< the thing that is wrong, e.g. "rho"
  std::string found;     ///< its value
  std::string expected;  ///< the allowed values
  std::string advice;    ///< what to do about it
};

/// Base of all errors of the library. `what()` holds the whole report as one line.
class error : public std::runtime_error {
 public:
  error(ErrorCode code, ErrorReport report)
      : std::runtime_error(text(report)), code_{code}, report_{std::move(report)} {}

  ErrorCode code() const noexcept { return code_; }
  std::string const& where() const noexcept { return report_.where; }
  ErrorReport const& report() const noexcept { return report_; }

 private:
  static std::string text(ErrorReport const& r) {
    auto line = r.where + ": " + r.what;
    if (!r.found.empty()) line += ": found " + r.found;
    if (!r.expected.empty()) line += ", expected " + r.expected;
    if (!r.advice.empty()) line += ". " + r.advice;
    return line;
  }

  ErrorCode code_;
  ErrorReport report_;
};

/// One type per cause, so that a program can catch those that it can handle.
template <ErrorCode Code>
class typed_error : public error {
 public:
  explicit typed_error(ErrorReport report) : error{Code, std::move(report)} {}
};

using config_error = typed_error<ErrorCode::config>;        ///< an impossible setting
using shape_error = typed_error<ErrorCode::shape>;          ///< operands that do not fit each other
using io_error = typed_error<ErrorCode::io>;                ///< a call of the operating system that failed
using format_error = typed_error<ErrorCode::format>;        ///< bytes that break their format's rules
using integrity_error = typed_error<ErrorCode::integrity>;  ///< a digest that does not match its bytes
using mismatch_error = typed_error<ErrorCode::mismatch>;    ///< a valid file that belongs to something else
using dataset_error = typed_error<ErrorCode::dataset>;      ///< data that cannot be trained on
using numeric_error = typed_error<ErrorCode::numeric>;      ///< a value that is not finite
using resource_error = typed_error<ErrorCode::resource>;    ///< memory or threads that cannot be had
using device_error = typed_error<ErrorCode::device>;        ///< an accelerator that failed
using distributed_error = typed_error<ErrorCode::distributed>;  ///< ranks that differ, or lost each other

/// Throws an E, one of the types above.
template <class E>
[[noreturn]] void fail(std::string where, std::string what, std::string found, std::string expected,
                       std::string advice = {}) {
  throw E{{std::move(where), std::move(what), std::move(found), std::move(expected), std::move(advice)}};
}

/// Throws the typed_error of a code that is known at run time alone.
[[noreturn]] inline void throw_error(ErrorCode code, ErrorReport const& report) {
  constexpr auto codes = static_cast<std::size_t>(ErrorCode::distributed);
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    ((code == ErrorCode{K + 1} ? throw typed_error<ErrorCode{K + 1}>{report} : void()), ...);
  }(std::make_index_sequence<codes>{});
  throw error{code, report};
}

/// The shortest text of a number that reads back as the same number, in any locale: 0.1, 1e-07, 42.
template <class Number>
std::string number_text(Number value) {
  std::array<char, 64> buffer;  // the longest, a long double's, has 32
  auto const written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), written.ptr};
}

/// A number with so many decimals: 12.50.
inline std::string fixed_text(double value, int decimals) {
  std::array<char, 512> buffer;  // the largest number has 309 digits
  auto const written =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, decimals);
  return {buffer.data(), written.ptr};
}

/// Text from a file made safe to print: all but printable ASCII escaped in hexadecimal, cut at 120 bytes.
inline std::string printable(std::string_view text) {
  constexpr auto limit = std::size_t{120};
  constexpr auto digits = std::string_view{"0123456789abcdef"};
  std::string safe;
  for (char const c : text.substr(0, limit)) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      safe += c;
    } else {
      safe += {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
    }
  }
  return text.size() > limit ? safe + "…" : safe;
}

}  // namespace consistency
