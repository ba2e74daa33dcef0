// SPDX-License-Identifier: MIT
#include <array>
#include <csignal>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <sys/resource.h>

#include <consistency/io/safetensors.hpp>

#include "peak_memory.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;
using namespace std::string_literals;

namespace {

/// A file with this header text and `size` bytes of data, 0, 1, 2 ...
Bytes file_of(std::string const& header, std::size_t size = 0) {
  Bytes bytes;
  append_little(bytes, std::uint64_t{header.size()});
  bytes = joined(bytes, text_bytes(header));
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<std::byte>(i));
  return bytes;
}

SafetensorsFile parse(std::string const& header, std::size_t size = 0) {
  return parse_safetensors(file_of(header, size), "model.safetensors");
}

std::string tensor(std::string const& name, std::string const& dtype, std::string const& shape,
                   std::string const& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape + "],\"data_offsets\":[" +
         offsets + "]}";
}

void check_header_rejected(std::string const& header, std::size_t size,
                           std::initializer_list<std::string_view> words) {
  CAPTURE(header);
  check_fails<ErrorCode::format>([&] { parse(header, size); }, {"model.safetensors"});
  check_fails<ErrorCode::format>([&] { parse(header, size); }, words);
}

void check_bytes_rejected(Bytes const& bytes, std::initializer_list<std::string_view> words) {
  check_fails<ErrorCode::format>([&] { parse_safetensors(bytes, "model.safetensors"); }, words);
}

struct Sample {
  std::vector<float> weights{1.5F, -2.0F, std::numeric_limits<float>::quiet_NaN(), 0.0F, 1e-40F, 6.0F};
  std::vector<double> moments{3.25, -1e300};
  std::vector<std::uint8_t> flags{1, 2, 3};
  std::vector<std::int64_t> step{-5};

  std::vector<TensorEntry> entries() const {
    return {tensor_entry("flags", {3}, flags), tensor_entry("layer.weight", {2, 3}, weights),
            tensor_entry("moments", {2}, moments), tensor_entry("step", {}, step),
            tensor_entry("empty", {0, 4}, std::span<float const>{})};
  }
};

Bytes sample_bytes(bool with_digest, Metadata const& metadata = {{"step", "7"}}) {
  TempFolder const folder;
  write_safetensors(folder / "file", Sample{}.entries(), metadata, with_digest);
  return read_file(folder / "file");
}

bool accepted(Bytes const& bytes) {
  try {
    parse_safetensors(bytes, "mutant");
    return true;
  } catch (consistency::error const&) {
    return false;
  }
}

}  // namespace

TEST_CASE("tensors and metadata come back bit for bit") {
  TempFolder const folder;
  Sample const sample;
  Metadata const metadata{
      {"note", "quotes \" and \\ and\nlines, ümläuts"}, {"", "empty key"}, {"x\"digest", "trap"}};
  for (auto const with_digest : {false, true}) {
    write_safetensors(folder / "a", sample.entries(), metadata, with_digest);
    auto const file = read_safetensors(folder / "a");
    CHECK(file.verified() == with_digest);
    CHECK(file.entries().size() == 5);
    CHECK(file.metadata().size() == (with_digest ? 5U : 3U));
    for (auto const& [key, value] : metadata) CHECK(file.metadata().at(key) == value);
    for (auto const& entry : sample.entries()) {
      auto const* const found = file.find(entry.name);
      REQUIRE(found != nullptr);
      CHECK(found->dtype == entry.dtype);
      CHECK(found->shape == entry.shape);
      CHECK(std::equal(found->bytes.begin(), found->bytes.end(), entry.bytes.begin(), entry.bytes.end()));
    }
    CHECK(file.find("layer") == nullptr);
    CHECK(file.find("zzz") == nullptr);
  }
}

TEST_CASE("copies have the type that is asked for, or are rejected") {
  auto const file = parse_safetensors(sample_bytes(true), "x");
  CHECK(copy_as<double>(*file.find("moments")) == Sample{}.moments);
  CHECK(copy_as<std::uint8_t>(*file.find("flags")) == Sample{}.flags);
  CHECK(copy_as<std::int64_t>(*file.find("step")) == Sample{}.step);
  CHECK(copy_as<float>(*file.find("layer.weight"))[1] == -2.0F);
  CHECK(copy_as<float>(*file.find("empty")).empty());
  check_fails<ErrorCode::mismatch>([&] { copy_as<float>(*file.find("moments")); }, {"moments", "F64", "F32"});
  check_fails<ErrorCode::mismatch>([&] { copy_as<std::uint64_t>(*file.find("step")); }, {"I64", "U64"});
}

TEST_CASE("a file starts its data at a multiple of 8 and aligns every tensor") {
  for (auto const& note : {""s, "a"s, "ab"s, "abc"s, "abcdefgh"s}) {
    auto const bytes = sample_bytes(true, {{"note", note}});
    CHECK(bytes[8] == std::byte{'{'});
    CHECK(load_little<std::uint64_t>(bytes) % 8 == 0);
    auto const file = parse_safetensors(bytes, "x");
    auto const start = file.entries().front().bytes.data();
    for (auto const& entry : file.entries())
      CHECK((entry.bytes.data() - start) % static_cast<std::ptrdiff_t>(facts(entry.dtype).bits / 8) == 0);
  }
}

TEST_CASE("a file keeps its entries valid when it is moved") {
  auto file = parse_safetensors(sample_bytes(true), "x");
  auto const moved = std::move(file);
  CHECK(copy_as<double>(*moved.find("moments")) == Sample{}.moments);
}

TEST_CASE("writing what was read gives the same file") {
  TempFolder const folder;
  for (auto const with_digest : {false, true}) {
    auto const bytes = sample_bytes(with_digest);
    auto const file = parse_safetensors(bytes, "x");
    write_safetensors(folder / "again", file.entries(), {{"step", "7"}}, with_digest);
    CHECK(read_file(folder / "again") == bytes);
  }
}

TEST_CASE("what the format allows is read") {
  CHECK(parse("{}").entries().empty());
  CHECK(parse("{}     \n").entries().empty());
  CHECK(parse("{\"__metadata__\":{}}").metadata().empty());
  CHECK_FALSE(parse("{\"__metadata__\":{\"format\":\"pt\"}}").verified());
  CHECK(parse("{" + tensor("rank 0", "F64", "", "0,8") + "}", 8).entries()[0].shape.empty());
  auto const empty = "{" + tensor("b", "F32", "2", "0,8") + "," + tensor("none", "F32", "0", "8,8") + "," +
                     tensor("also none", "U8", "4,0", "0,0") + "}";
  auto const file = parse(empty, 8);
  CHECK(file.entries()[0].name == "also none");
  CHECK(file.entries()[2].name == "none");
  // Fields and tensors in any order, spaces anywhere, escapes, names in UTF-8.
  auto const free = parse(
      "{ \"\\u00e9\\\"\" : { \"data_offsets\" : [ 2 , 4 ] , \"shape\" : [ 1 ] , \"dtype\" : \"BF16\" } , " +
          tensor("π", "U8", "2", "0,2") + "}",
      4);
  CHECK(free.entries()[0].name == "π");
  CHECK(free.entries()[1].name == "é\"");
  CHECK(free.find("é\"")->dtype == DType::bf16);
}

TEST_CASE("every element type of the format is read with its size") {
  for (auto const& [name, bits] : dtype_facts) {
    auto const size = std::to_string(4 * bits / 8);
    auto const header = "{" + tensor("t", std::string{name}, "4", "0," + size) + "}";
    auto const file = parse(header, 4 * bits / 8);
    CHECK(facts(file.entries()[0].dtype).name == name);
  }
  check_header_rejected("{" + tensor("t", "F4", "3", "0,1") + "}", 1,
                        {"tensor 't'", "12 bits", "whole bytes"});
  check_header_rejected("{" + tensor("t", "f32", "1", "0,4") + "}", 4,
                        {"dtype of tensor 't'", "'f32'", "F32"});
}

TEST_CASE("a file cut anywhere is rejected") {
  for (auto const with_digest : {false, true}) {
    auto const whole = sample_bytes(with_digest);
    for (std::size_t size = 0; size < whole.size(); ++size)
      check_bytes_rejected({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)},
                           {"model.safetensors", "truncated"});
  }
}

TEST_CASE("header lengths that promise too much are rejected before anything is allocated") {
  Bytes bomb;
  append_little(bomb, std::uint64_t{1} << 63U);
  check_bytes_rejected(bomb, {"header length", "9223372036854775808 at byte 0", "at most 16777216"});
  for (auto const length : {std::uint64_t{3}, std::uint64_t{16'777'216}}) {
    Bytes bytes;
    append_little(bytes, length);
    check_bytes_rejected(joined(bytes, bytes_of("{}")),
                         {"truncated header", std::to_string(length), "2 bytes left"});
  }
  Bytes wrapping;
  append_little(wrapping, std::numeric_limits<std::uint64_t>::max() - 3);
  check_bytes_rejected(wrapping, {"header length"});
  CHECK(parse_safetensors(file_of("{}"), "x", 2).entries().empty());
  check_fails<ErrorCode::format>([] { parse_safetensors(file_of("{} "), "x", 2); }, {"at most 2"});
}

TEST_CASE("a header that is not the JSON of the format is rejected with its place") {
  check_header_rejected("", 0, {"header", "at byte 8", "'{'"});
  check_header_rejected(" {}", 0, {"at byte 8", "'{'"});
  check_header_rejected("[]", 0, {"'['"s.substr(0, 2), "'{'"});
  check_header_rejected("{", 0, {"not valid JSON"});
  check_header_rejected("{}x", 0, {"not valid JSON", "at byte 11"});
  check_header_rejected("{}{}", 0, {"not valid JSON"});
  check_header_rejected("{\"a\xff\":1}", 0, {"not valid JSON in UTF-8"});
  check_header_rejected("{\"a\":1e400}", 0, {"not valid JSON"});
  check_header_rejected("{}\0hidden"s, 0, {"zero byte at byte 10"});
  check_header_rejected("{/* */}", 0, {"not valid JSON"});
  check_header_rejected("{\"a\":[]}", 0, {"an array", "an object for the key 'a'"});
  check_header_rejected("{\"a\":1}", 0, {"the number 1", "an object for the key 'a'"});
  check_header_rejected("{\"a\":null}", 0, {"null"});
  check_header_rejected("{\"a\":true}", 0, {"true or false"});
  check_header_rejected("{\"a\":\"text\"}", 0, {"the text 'text'"});
  check_header_rejected("{\"a\":{}}", 0, {"tensor 'a'", "dtype (text), shape and data_offsets"});
  check_header_rejected("{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 0,
                        {"tensor 'a'", "the end of the object"});
  check_header_rejected("{\"a\":{\"dtype\":4}}", 0, {"the number 4"});
  check_header_rejected("{\"a\":{\"dtype\":[]}}", 0, {"an array"});
  check_header_rejected("{\"a\":{\"shape\":\"2\"}}", 0, {"the text '2'"});
  check_header_rejected("{\"a\":{\"extra\":1}}", 0, {"the key 'extra'", "nothing else"});
  check_header_rejected("{\"__metadata__\":{\"k\":1}}", 0,
                        {"__metadata__", "the number 1", "text for the key 'k'"});
  check_header_rejected("{\"__metadata__\":{\"k\":{}}}", 0, {"__metadata__", "an object"});
  check_header_rejected("{\"__metadata__\":[]}", 0, {"an array"});
}

TEST_CASE("nesting that the format does not have is rejected, however deep") {
  check_header_rejected("{\"a\":{\"shape\":[[1]]}}", 0, {"tensor 'a'", "an array", "whole numbers"});
  check_header_rejected("{\"a\":{\"shape\":[{}]}}", 0, {"tensor 'a'", "an object"});
  check_header_rejected("{\"a\":" + std::string(1'000'000, '['), 0, {"an array"});
  std::string objects = "{";
  for (auto i = 0; i < 100'000; ++i) objects += "\"a\":{";
  check_header_rejected(objects, 0, {"tensor 'a'", "the key 'a'"});
  std::string rank = "1";
  for (auto i = 0; i < 64; ++i) rank += ",1";
  check_header_rejected("{" + tensor("a", "U8", rank, "0,1") + "}", 1, {"tensor 'a'", "at most 64"});
}

TEST_CASE("nothing may be said twice") {
  auto const a = tensor("a", "U8", "1", "0,1");
  check_header_rejected("{" + a + "," + a + "}", 1, {"the key 'a' twice", "no duplicate keys"});
  check_header_rejected("{" + a + "," + tensor("\\u0061", "U8", "1", "0,1") + "}", 1, {"the key 'a' twice"});
  check_header_rejected("{\"__metadata__\":{},\"__metadata__\":{}}", 0, {"'__metadata__' twice"});
  check_header_rejected("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, {"'k' twice in __metadata__"});
  check_header_rejected("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\"}}", 0, {"'dtype' twice in tensor 'a'"});
  check_header_rejected("{\"a\":{\"shape\":[],\"shape\":[]}}", 0, {"'shape' twice"});
  check_header_rejected("{\"a\":{\"data_offsets\":[0,0],\"data_offsets\":[0,0]}}", 0,
                        {"'data_offsets' twice"});
}

TEST_CASE("control bytes in names are rejected and never printed") {
  check_header_rejected("{" + tensor("a\\u001b[2J", "U8", "1", "0,1") + "}", 1, {"tensor name", "a\\x1b[2J"});
  check_header_rejected("{" + tensor("a\\u0000b", "U8", "1", "0,1") + "}", 1,
                        {"a\\x00b", "without control bytes"});
  check_header_rejected("{" + tensor("a\x7f", "U8", "1", "0,1") + "}", 1, {"a\\x7f"});
}

TEST_CASE("offsets that are no whole numbers, or not two, are rejected") {
  for (auto const* const number : {"-1", "-9223372036854775809", "1.0", "1e3", "18446744073709551616"}) {
    check_header_rejected("{" + tensor("a", "U8", "1", "0,"s + number) + "}", 1,
                          {"tensor 'a'", "whole numbers"});
    check_header_rejected("{" + tensor("a", "U8", number, "0,1") + "}", 1, {"tensor 'a'", "whole numbers"});
  }
  check_header_rejected("{" + tensor("a", "U8", "1", "0") + "}", 1, {"tensor 'a'", "1 data_offsets"});
  check_header_rejected("{" + tensor("a", "U8", "1", "") + "}", 1, {"0 data_offsets"});
  check_header_rejected("{" + tensor("a", "U8", "1", "0,1,2") + "}", 1, {"3 data_offsets"});
  check_header_rejected("{" + tensor("a", "U8", "1", "0,\"1\"") + "}", 1, {"the text '1'"});
}

TEST_CASE("overlaps, holes, swapped offsets and trailing bytes are rejected") {
  auto const a = tensor("a", "U8", "4", "0,4");
  check_header_rejected("{" + a + "," + tensor("b", "U8", "4", "3,7") + "}", 7,
                        {"tensor 'b' overlaps", "[3, 7]", "byte 4"});
  check_header_rejected("{" + a + "," + tensor("b", "U8", "4", "0,4") + "}", 4, {"overlaps"});
  check_header_rejected("{" + a + "," + tensor("b", "U8", "4", "5,9") + "}", 9,
                        {"hole before tensor 'b'", "byte 4"});
  check_header_rejected("{" + tensor("a", "U8", "4", "1,5") + "}", 5, {"hole before tensor 'a'", "byte 0"});
  check_header_rejected("{" + tensor("a", "U8", "4", "4,0") + "}", 4, {"tensor 'a'", "[4, 0]", "not behind"});
  check_header_rejected("{" + a + "," + tensor("b", "U8", "0", "2,2") + "}", 4, {"tensor 'b' overlaps"});
  check_header_rejected("{" + a + "}", 3, {"tensor 'a' is truncated", "[0, 4]", "3 bytes"});
  check_header_rejected("{" + a + "}", 5, {"trailing bytes", "1 bytes after the last tensor"});
  check_header_rejected("{}", 1, {"trailing bytes"});
  check_header_rejected("{" + tensor("a", "U8", "1", "0,18446744073709551615") + "}", 1, {"truncated"});
}

TEST_CASE("shapes that do not fill their bytes, or wrap around, are rejected") {
  check_header_rejected("{" + tensor("a", "F32", "2,2", "0,12") + "}", 12,
                        {"tensor 'a'", "12 bytes", "16 bytes"});
  check_header_rejected("{" + tensor("a", "F64", "1", "0,4") + "}", 4, {"8 bytes for its shape"});
  check_header_rejected("{" + tensor("a", "U8", "0,9223372036854775808", "0,4") + "}", 4,
                        {"0 bytes for its shape"});
  for (auto const* const shape : {"2,18446744073709551614", "2,9223372036854775807", "4294967296,4294967296",
                                  "2305843009213693953", "9223372036854775808,2,0"}) {
    check_header_rejected("{" + tensor("a", "F32", shape, "0,4") + "}", 4,
                          {"tensor 'a'", "overflows 64 bits"});
    check_header_rejected("{" + tensor("a", "F32", shape, "0,0") + "}", 0, {"overflows 64 bits"});
  }
}

TEST_CASE("files of another kind in the place of tensors are called by their name") {
  check_bytes_rejected(bytes_of("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
                       {"Git LFS pointer"});
  check_bytes_rejected(bytes_of("<html><body>404</body></html>"), {"HTML page", "fetch the file again"});
  check_bytes_rejected(bytes_of("<!DOCTYPE html>"), {"HTML page"});
  check_bytes_rejected(bytes_of("\x1f\x8b\x08 and so on"), {"gzip data"});
  check_bytes_rejected(bytes_of("PK\x03\x04 and so on"), {"zip archive", "Python"});
  check_bytes_rejected(bytes_of("\x80\x02}q\x01."), {"Python pickle"});
  // A header whose length happens to read 80 02 is none of these.
  CHECK(parse("{}" + std::string(0x0280 - 2, ' ')).entries().empty());
}

TEST_CASE("every single flipped bit of a file with a digest is noticed") {
  auto bytes = sample_bytes(true);
  REQUIRE(parse_safetensors(bytes, "x").verified());
  std::size_t missed = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    if (accepted(bytes)) ++missed;
    bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
  }
  CHECK(missed == 0);
}

TEST_CASE("a damaged tensor is named with its digest, and so are several") {
  auto const whole = sample_bytes(true);
  auto const file = parse_safetensors(whole, "x");
  auto const rejected = [&](Bytes const& bytes, std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::integrity>([&] { parse_safetensors(bytes, "model.safetensors"); }, words);
  };
  auto all = whole;
  auto end = whole.size();
  for (auto i = file.entries().size(); i-- > 0;) {
    auto const& entry = file.entries()[i];
    if (entry.bytes.empty()) continue;
    end -= entry.bytes.size();
    auto damaged = whole;
    damaged[end] ^= std::byte{1};
    all[end] ^= std::byte{1};
    auto changed = Bytes{entry.bytes.begin(), entry.bytes.end()};
    changed[0] ^= std::byte{1};
    rejected(damaged, {"model.safetensors: tensor '" + entry.name + "': found digest " + digest(changed),
                       "the stored digest " + digest(entry.bytes), "another copy"});
  }
  rejected(all, {"tensor '" + file.entries().front().name + "', tensor '"});
}

TEST_CASE("damage to a header is told from damage to tensors") {
  auto const file = sample_bytes(true);
  auto const text = bytes_text(file);
  auto const rejected = [&](std::string_view field, int by, std::initializer_list<std::string_view> words) {
    auto damaged = file;
    damaged[text.find(field) + field.size()] ^= static_cast<std::byte>(by);
    check_fails<ErrorCode::integrity>([&] { parse_safetensors(damaged, "model.safetensors"); }, words);
  };
  rejected("\"tensor_digests\":\"", 1, {"model.safetensors: header: found digest", "the stored digest"});
  rejected("\"header_digest\":\"", 1, {"model.safetensors: header: found digest", "the stored digest"});
  rejected("\"digest\":\"", 1, {"model.safetensors: digest: found computed", "stored"});
}

TEST_CASE("a file with the digest of the whole alone is verified as before") {
  auto const written = sample_bytes(true);
  auto const length = static_cast<std::size_t>(load_little<std::uint64_t>(written));
  auto header = std::string{bytes_text(ByteView{written}.subspan(8, length))};
  for (auto const* const key : {",\"header_digest\":\"", ",\"tensor_digests\":\""}) {
    auto const from = header.find(key);
    REQUIRE(from != std::string::npos);
    header.erase(from, header.find('"', from + std::string_view{key}.size()) + 1 - from);
  }
  auto const place = header.find("\"digest\":\"") + 10;
  header.replace(place, 32, 32, '0');
  auto const data = ByteView{written}.subspan(8 + length);
  header.replace(place, 32, digest(std::array{text_bytes(header), data}));
  Bytes older;
  append_little(older, std::uint64_t{header.size()});
  older = joined(joined(older, text_bytes(header)), data);
  CHECK(parse_safetensors(older, "x").verified());
  older.back() ^= std::byte{1};
  check_fails<ErrorCode::integrity>([&] { parse_safetensors(older, "x"); }, {"x: digest: found computed"});
}

TEST_CASE(
    "a reader does not see the digests of tensors and header, so that its metadata can be written again") {
  auto const file = parse_safetensors(sample_bytes(true), "x");
  for (auto const* const key : {"header_digest", "tensor_digests"})
    CHECK_FALSE(file.metadata().contains(key));
}

TEST_CASE("headers that would take much more memory than their bytes are rejected") {
  auto const many = [](std::size_t size, auto const& piece) {
    std::string header = "{";
    for (auto i = 0; header.size() + 100 < size; ++i) header += (i == 0 ? "" : ",") + piece(i);
    return header + "}";
  };
  auto const rejected = [](std::string const& header, std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::format>([&] { parse(header); }, words);
  };
  auto const full = std::size_t{16} << 20U;
  rejected(many(full, [](int i) { return tensor(std::to_string(i).c_str(), "U8", "0", "0,0"); }),
           {"header: found", "tensors and 0 texts"});
  auto const texts = many(full - 20, [](int i) { return "\"" + std::to_string(i) + "\":\"\""; });
  rejected("{\"__metadata__\":" + texts + "}", {"header: found 0 tensors and", "texts of metadata"});
  rejected("{\"" + std::string(full - 100, 'a') + "\":{}}", {"text or number of 16777116 bytes", "2097152"});
  rejected("{" + std::string(full - 100, ' ') + "}", {"text or number of"});
  auto const quotes = std::string(4U << 20U, '\\');  // escaped: they end no text
  rejected("{\"" + quotes + "\":{}}", {"text or number of 4194304 bytes"});
}

TEST_CASE("a digest that cannot be trusted is rejected") {
  auto const metadata = [](std::string const& fields) { return "{\"__metadata__\":{" + fields + "}}"; };
  auto const rejected = [&](std::string const& fields, std::initializer_list<std::string_view> words) {
    check_fails<ErrorCode::integrity>([&] { parse(metadata(fields)); }, words);
  };
  rejected("\"digest\":\"0\"", {"only one of digest and digest_type"});
  rejected("\"digest_type\":\"xxh3-128\"", {"only one of"});
  rejected("\"digest\":\"0\",\"digest_type\":\"md5\"", {"digest_type 'md5'", "xxh3-128"});
  rejected("\"digest\":\"0\",\"digest_type\":\"xxh3-128\"", {"computed", "stored 0"});
  rejected("\"digest\": \"0\",\"digest_type\":\"xxh3-128\"", {"rewritten"});
  rejected("\"d\\u0069gest\":\"0\",\"digest_type\":\"xxh3-128\"", {"rewritten"});
}

TEST_CASE("random damage never does more than throw") {
  for (auto const with_digest : {false, true}) {
    auto const whole = sample_bytes(with_digest);
    auto state = std::uint64_t{12345};
    auto const random = [&](std::size_t below) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      return static_cast<std::size_t>(state >> 33U) % below;
    };
    std::size_t missed = 0;
    for (auto trial = 0; trial < 5000; ++trial) {
      auto mutant = whole;
      for (auto edits = 1 + random(4); edits > 0; --edits) {
        auto const at = mutant.begin() + static_cast<std::ptrdiff_t>(random(mutant.size()));
        switch (random(4)) {
          case 0:
            *at = static_cast<std::byte>(random(256));
            break;
          case 1:
            mutant.insert(at, static_cast<std::byte>("0123456789[]{}\",:-"[random(18)]));
            break;
          case 2:
            mutant.erase(at);
            break;
          default:
            std::swap(*at, mutant[random(mutant.size())]);
            break;
        }
      }
      if (accepted(mutant) && mutant != whole) ++missed;
    }
    if (with_digest) CHECK(missed == 0);
  }
}

TEST_CASE("tensors that no file may hold are not written") {
  TempFolder const folder;
  auto const values = std::vector<float>{1, 2};
  auto const write = [&](std::vector<TensorEntry> const& entries, Metadata const& metadata = {}) {
    write_safetensors(folder / "x", entries, metadata);
  };
  auto const good = tensor_entry("a", {2}, values);
  check_fails<ErrorCode::config>([&] { write({good, good}); }, {"'a' twice"});
  check_fails<ErrorCode::config>([&] { write({tensor_entry("__metadata__", {2}, values)}); },
                                 {"__metadata__"});
  check_fails<ErrorCode::config>([&] { write({tensor_entry("a\n", {2}, values)}); },
                                 {"a\\x0a", "control bytes"});
  check_fails<ErrorCode::config>([&] { write({tensor_entry("\xff", {2}, values)}); }, {"valid UTF-8"});
  check_fails<ErrorCode::config>([&] { write({good}, {{"k", "\xc3"}}); }, {"valid UTF-8"});
  check_fails<ErrorCode::config>([&] { write({good}, {{"digest", "x"}}); }, {"digest"});
  check_fails<ErrorCode::config>([&] { write({good}, {{"digest_type", "x"}}); }, {"digest_type"});
  check_fails<ErrorCode::config>(
      [&] {
        write({good}, {{"k", std::string(16U << 20U, 'x')}});
      },
      {"a text of 16777218 bytes", "at most 2097152"});
  Metadata texts;
  for (auto i = 0; i < 9; ++i) texts[std::to_string(i)] = std::string(2'000'000, 'x');
  check_fails<ErrorCode::config>([&] { write({good}, texts); }, {"header", "at most 16777216"});
  check_fails<ErrorCode::shape>([&] { write({tensor_entry("a", {3}, values)}); },
                                {"tensor 'a'", "8 bytes", "96 bits"});
  check_fails<ErrorCode::shape>(
      [&] {
        write({tensor_entry("a", {1ULL << 63U, 2}, values)});
      },
      {"fits 64 bits"});
  CHECK(folder.files() == 0);
}

TEST_CASE("reading tensors takes at most 32 MiB more than their file") {
  TempFolder const folder;
  auto const mib = std::size_t{1} << 20U;
  auto const header = [](std::size_t size, auto const& piece) {
    std::string text;
    for (auto i = 0; text.size() < size; ++i) text += (i == 0 ? "" : ",") + piece(i);
    return text;
  };
  auto const short_names = [](int i) { return tensor(std::to_string(i), "U8", "0", "0,0"); };
  std::string ones = "1";
  for (auto i = 0; i < 60; ++i) ones += ",1";
  auto const long_shapes = [&](int i) { return tensor(std::to_string(i), "U8", "0," + ones, "0,0"); };
  auto const texts = [](int i) { return "\"" + std::to_string(i) + "\":\"\""; };
  auto const several = std::string(2'000'000, 'x');
  auto const long_texts = [&](int i) { return "\"" + std::to_string(i) + "\":\"" + several + "\""; };
  for (auto const& text :
       {"{" + header(15 * mib, short_names) + "}", "{" + header(2 * mib, short_names) + "}",
        "{" + header(15 * mib, long_shapes) + "}", "{" + header(2 * mib, long_shapes) + "}",
        "{\"__metadata__\":{" + header(15 * mib, texts) + "}}",
        "{\"__metadata__\":{" + header(1 * mib, texts) + "}}",
        "{\"__metadata__\":{" + header(13 * mib, long_texts) + "}}",
        "{\"" + std::string(15 * mib, 'x') + "\":{}}"}) {
    CAPTURE(text.substr(0, 100));
    auto const file = file_of(text);
    write_file_atomically(folder / "x", file);
    CHECK(peak_memory_of([&] { read_safetensors(folder / "x"); }) < file.size() + 32 * mib);
  }
}

TEST_CASE("what is written can be read: as many tensors as a reader takes, and not one more") {
  TempFolder const folder;
  std::vector<std::uint8_t> const none;
  auto const write = [&](int count) {
    std::vector<TensorEntry> entries;
    for (auto i = 0; i < count; ++i)
      entries.push_back(tensor_entry("t" + std::to_string(100'000 + i), {0}, none));
    write_safetensors(folder / "x", entries);
  };
  auto most = 10'000;
  for (auto step = 1 << 17; step > 0; step /= 2) try {
      write(most + step);
      CHECK(read_safetensors(folder / "x").verified());
      most += step;
    } catch (config_error const&) {
    }
  CHECK(most > 40'000);
  check_fails<ErrorCode::config>([&] { write(most + 1); }, {"tensors", "fewer, or several files"});
}

TEST_CASE("a checkpoint that does not fit the disk keeps the one before") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  write_safetensors(path, Sample{}.entries());
  std::vector<float> const large(10'000);
  auto const entry = tensor_entry("large", {10'000}, large);
  auto const write = [&] {
    auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
    ::rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    auto limited = before;
    limited.rlim_cur = 5000;
    ::setrlimit(RLIMIT_FSIZE, &limited);
    try {
      write_safetensors(path, std::span{&entry, 1});
    } catch (...) {
      ::setrlimit(RLIMIT_FSIZE, &before);
      std::signal(SIGXFSZ, handler);
      throw;
    }
  };
  check_fails<ErrorCode::io>(write,
                             {"model.safetensors", "write failed after 5000 of", "previous file was kept"});
  CHECK(read_safetensors(path).verified());
  CHECK(folder.files() == 1);
}
