// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

#include <doctest/doctest.h>

#include <consistency/core/error.hpp>

using namespace consistency;

TEST_CASE("an error says where and what and found and expected and what to do in one line") {
  auto const e = config_error{{.where = "KarrasGrid",
                               .what = "rho",
                               .found = "-1",
                               .expected = "more than 0",
                               .advice = "Use 7 as in the paper."}};
  CHECK(std::string{e.what()} == "KarrasGrid: rho: found -1, expected more than 0. Use 7 as in the paper.");
  CHECK(e.where() == "KarrasGrid");
  CHECK(e.report().what == "rho");
  CHECK(e.report().found == "-1");
  CHECK(e.report().expected == "more than 0");
  CHECK(e.report().advice == "Use 7 as in the paper.");
}

TEST_CASE("empty parts of an error's report leave no trace in its text") {
  auto const e =
      io_error{{.where = "read", .what = "no such file", .found = "", .expected = "", .advice = ""}};
  CHECK(std::string{e.what()} == "read: no such file");
}

TEST_CASE("the numbers of the error codes are stable") {
  CHECK(static_cast<int>(ErrorCode::config) == 1);
  CHECK(static_cast<int>(ErrorCode::shape) == 2);
  CHECK(static_cast<int>(ErrorCode::io) == 3);
  CHECK(static_cast<int>(ErrorCode::format) == 4);
  CHECK(static_cast<int>(ErrorCode::integrity) == 5);
  CHECK(static_cast<int>(ErrorCode::mismatch) == 6);
  CHECK(static_cast<int>(ErrorCode::dataset) == 7);
  CHECK(static_cast<int>(ErrorCode::numeric) == 8);
  CHECK(static_cast<int>(ErrorCode::resource) == 9);
  CHECK(static_cast<int>(ErrorCode::device) == 10);
  CHECK(static_cast<int>(ErrorCode::distributed) == 11);
}

TEST_CASE_TEMPLATE("an error is caught as its own type and as the base and as a standard error", E,
                   config_error, shape_error, io_error, format_error, integrity_error, mismatch_error,
                   dataset_error, numeric_error, resource_error, device_error, distributed_error) {
  CHECK_THROWS_AS(fail<E>("here", "this", "0", "1"), E);
  CHECK_THROWS_AS(fail<E>("here", "this", "0", "1"), error);
  CHECK_THROWS_AS(fail<E>("here", "this", "0", "1"), std::runtime_error);
  CHECK_THROWS_WITH(fail<E>("here", "this", "0", "1"), "here: this: found 0, expected 1");
  CHECK_THROWS_WITH(fail<E>("here", "this", "0", "1", "Add one."),
                    "here: this: found 0, expected 1. Add one.");
  try {
    fail<E>("here", "this", "0", "1");
  } catch (error const& e) {
    CHECK(std::is_same_v<E, config_error> == (e.code() == ErrorCode::config));
    CHECK(std::is_same_v<E, device_error> == (e.code() == ErrorCode::device));
    CHECK(std::is_same_v<E, shape_error> == (e.code() == ErrorCode::shape));
  }
}

TEST_CASE("an error thrown by its code has the type of that code") {
  auto const report = ErrorReport{.where = "here", .what = "this", .found = "", .expected = "", .advice = ""};
  CHECK_THROWS_AS(throw_error(ErrorCode::config, report), config_error);
  CHECK_THROWS_AS(throw_error(ErrorCode::numeric, report), numeric_error);
  CHECK_THROWS_AS(throw_error(ErrorCode::distributed, report), distributed_error);
  CHECK_THROWS_WITH(throw_error(ErrorCode{200}, report), "here: this");
}

TEST_CASE("numbers that differ have texts that differ") {
  CHECK(number_text(0.002) == "0.002");
  CHECK(number_text(0.0020000001) == "0.0020000001");
  CHECK(number_text(0.1F) == "0.1");
  CHECK(number_text(1e-7) == "1e-07");
  CHECK(number_text(-2.5e300) == "-2.5e+300");
  CHECK(number_text(std::numeric_limits<double>::quiet_NaN()) == "nan");
  CHECK(number_text(-std::numeric_limits<float>::infinity()) == "-inf");
  CHECK(number_text(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  auto const next = std::nextafter(80.0, 81.0);
  CHECK(number_text(next) != number_text(80.0));
  CHECK(std::stod(number_text(next)) == next);
}

TEST_CASE("no long double is too long for its text") {
  CHECK(number_text(-std::numeric_limits<long double>::denorm_min() * 3) != "");
  CHECK(std::stold(number_text(-std::numeric_limits<long double>::max())) ==
        -std::numeric_limits<long double>::max());
}

TEST_CASE("printable text keeps letters and escapes every other byte") {
  CHECK(printable("plain text") == "plain text");
  CHECK(printable("") == "");
  CHECK(printable(std::string_view{"a\nb\x1b[2J\0", 8}) == "a\\x0ab\\x1b[2J\\x00");
  CHECK(printable("\x7f") == "\\x7f");
  CHECK(printable("\xff\x80 \xc3\xb6") == "\\xff\\x80 \\xc3\\xb6");
}

TEST_CASE("printable text is cut at 120 bytes") {
  CHECK(printable(std::string(120, 'a')) == std::string(120, 'a'));
  CHECK(printable(std::string(121, 'a')) == std::string(120, 'a') + "…");
}
