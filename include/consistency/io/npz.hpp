// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <zlib.h>

#include <consistency/core/bytes.hpp>
#include <consistency/core/shape.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/npy_header.hpp>
#include <consistency/io/zip.hpp>
#include <consistency/tensor/cpu.hpp>

namespace consistency {

/// NumPy's .npz file: named arrays, stored or deflated.
class NpzFile {
 public:
  /// Throws io_error, format_error: no such archive.
  explicit NpzFile(std::filesystem::path const& path)
      : name_{path.string()}, contents_{read_file(path)}, archive_{contents_, name_, true} {}
  NpzFile(NpzFile const&) = delete;

  bool has(std::string const& array) const { return archive_.has(array + ".npy"); }

  /// An array of float64, float32, uint8 or int64 numbers of up to four axes. Throws format_error where it is
  /// missing, of another type, in Fortran's order, or shorter or longer than its head says.
  Tensor<double> numbers(std::string const& array) const {
    auto const [head, data] = opened(array);
    Tensor<double> x{head.shape};
    auto* const to = x.mutable_data();
    auto const convert = [&]<class Number>(Number) {
      for (Index i = 0; i < x.count(); ++i) {
        Number value;
        std::memcpy(&value, data.data() + static_cast<std::size_t>(i) * sizeof value, sizeof value);
        to[i] = static_cast<double>(value);
      }
    };
    if (head.type == "<f8") return convert(double{}), x;
    if (head.type == "<f4") return convert(float{}), x;
    if (head.type == "<i8") return convert(std::int64_t{}), x;
    return convert(std::uint8_t{}), x;
  }

  /// Bytes, such as the images `arr_0` (n, h, w, c) of an evaluator. Throws as numbers().
  std::pair<Shape, std::vector<std::uint8_t>> bytes(std::string const& array) const {
    auto const [head, data] = opened(array);
    if (head.type != "|u1") fail_array(array, "type", "'" + printable(head.type) + "'", "'|u1', bytes");
    auto const* const from = reinterpret_cast<std::uint8_t const*>(data.data());
    return {head.shape, std::vector<std::uint8_t>(from, from + data.size())};
  }

 private:
  std::pair<detail::NpyHead, Bytes> opened(std::string const& array) const {
    auto bytes = archive_.unpacked(array + ".npy");
    if (!bytes) fail_array(array, "array", "none", "an array of that name");
    auto head = detail::NpyHead::of(*bytes, name_ + ":" + array);
    bytes->erase(bytes->begin(), bytes->begin() + static_cast<std::ptrdiff_t>(head.size));
    auto const expected = static_cast<std::uint64_t>(head.shape.count()) * head.number_size();
    if (bytes->size() != expected)
      fail_array(array, "bytes of data", number_text(bytes->size()),
                 number_text(expected) + ", as its head says: " + head.shape.text());
    return {std::move(head), std::move(*bytes)};
  }
  [[noreturn]] void fail_array(std::string const& array, char const* what, std::string found,
                               std::string expected) const {
    fail<format_error>(name_ + ":" + printable(array), what, std::move(found), std::move(expected));
  }

  std::string name_;
  Bytes contents_;
  ZipArchive archive_;
};

/// Writes arrays of float64, or texts as bytes, as np.savez does. Atomically; throws io_error, or
/// format_error for 4 GiB or more.
class NpzWriter {
 public:
  void add(std::string const& name, Tensor<double> const& x) {
    add(name, "<f8", x.shape(), std::as_bytes(x.values()));
  }
  void add(std::string const& name, std::string_view text) {
    add(name, "|u1", Shape{static_cast<Index>(text.size())}, text_bytes(text));
  }
  void write(std::filesystem::path const& path) const {
    auto file = files_;
    file.insert(file.end(), directory_.begin(), directory_.end());
    append(file, "PK\5\6");
    append_little(file, std::uint32_t{0});
    append_little(file, count_), append_little(file, count_);
    append_little(file, size_of(directory_)), append_little(file, size_of(files_));
    append_little(file, std::uint16_t{0});
    write_file_atomically(path, file);
  }

 private:
  void add(std::string const& name, char const* type, Shape const& shape, ByteView data) {
    auto contents = detail::npy_head(type, shape);
    contents.insert(contents.end(), data.begin(), data.end());
    auto const file = name + ".npy";
    auto const checksum = static_cast<std::uint32_t>(
        ::crc32_z(0, reinterpret_cast<Bytef const*>(contents.data()), contents.size()));
    auto const offset = size_of(files_), size = size_of(contents);
    for (auto* const to : {&files_, &directory_}) {
      append(*to, to == &files_ ? "PK\3\4" : "PK\1\2");
      if (to == &directory_) append_little(*to, std::uint16_t{20});                 // made by version 2.0
      append_little(*to, std::uint16_t{20}), append_little(*to, std::uint16_t{0});  // needs 2.0; no flags
      append_little(*to, std::uint16_t{0}),
          append_little(*to, std::uint32_t{0x210000});  // stored; 1980-01-01
      append_little(*to, checksum), append_little(*to, size), append_little(*to, size);
      append_little(*to, static_cast<std::uint16_t>(file.size())), append_little(*to, std::uint16_t{0});
      if (to == &directory_) {
        to->resize(to->size() + 10);  // no comment, first disk, no attributes
        append_little(*to, offset);
      }
      append(*to, file);
    }
    files_.insert(files_.end(), contents.begin(), contents.end());
    ++count_;
  }
  static void append(Bytes& to, std::string_view text) {
    auto const bytes = text_bytes(text);
    to.insert(to.end(), bytes.begin(), bytes.end());
  }
  static std::uint32_t size_of(Bytes const& bytes) {
    if (bytes.size() > 0xffffffffU)
      fail<format_error>("NpzWriter", "bytes", number_text(bytes.size()), "less than 4 GiB");
    return static_cast<std::uint32_t>(bytes.size());
  }

  Bytes files_, directory_;
  std::uint16_t count_ = 0;
};

}  // namespace consistency
