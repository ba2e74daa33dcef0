// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <set>
#include <string>

#include <consistency/io/digest.hpp>

#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

TEST_CASE("digests are those of xxhsum -H128") {
  CHECK(digest(ByteView{}) == "99aa06d3014798d86001c324468d497f");
  CHECK(digest(text_bytes("a")) == "a96faf705af16834e6c632b61e964e1f");
  CHECK(digest(text_bytes("The quick brown fox jumps over the lazy dog")) ==
        "ddd650205ca3e7fa24a1cc2e3a8a7651");
}

TEST_CASE("a digest does not depend on how the bytes are cut") {
  Bytes bytes(5000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i >> 5U);
  auto const whole = digest(bytes);
  for (auto const piece : {1U, 7U, 64U, 240U, 241U, 1024U, 4999U}) {
    Digest pieces;
    for (auto rest = ByteView{bytes}; !rest.empty();
         rest = rest.subspan(std::min<std::size_t>(piece, rest.size())))
      pieces.update(rest.first(std::min<std::size_t>(piece, rest.size())));
    CHECK(pieces.hex() == whole);
  }
  auto const view = ByteView{bytes};
  CHECK(digest(std::array{view.first(100), ByteView{}, view.subspan(100)}) == whole);
}

TEST_CASE("a digest may be asked for in between") {
  Digest running;
  running.update(text_bytes("ab"));
  CHECK(running.hex() == digest(text_bytes("ab")));
  auto copy = running;
  copy.update(text_bytes("x"));
  CHECK(running.update(text_bytes("c")).hex() == digest(text_bytes("abc")));
  CHECK(copy.hex() == digest(text_bytes("abx")));
}

TEST_CASE("every changed bit changes the digest") {
  Bytes bytes(300, std::byte{5});
  std::set<std::string> seen{digest(bytes)};
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    seen.insert(digest(bytes));
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
  CHECK(seen.size() == 1 + 8 * bytes.size());
}
