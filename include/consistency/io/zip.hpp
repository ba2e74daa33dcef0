// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <zlib.h>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>

namespace consistency {

inline bool is_zip(ByteView bytes) { return bytes_text(bytes).starts_with("PK\3\4"); }

/// The files of a zip archive by name: of those that are stored without compression, as PyTorch and np.savez
/// write them, views of the archive; of those that are deflated (np.savez_compressed), where they are wanted,
/// what unpacked() makes. Throws format_error: no archive, truncated, encrypted files, compressed ones that
/// are not wanted or not deflated, places outside the archive, a name twice.
class ZipArchive {
 public:
  ZipArchive(ByteView archive, std::string name, bool deflated = false)
      : archive_{archive}, name_{std::move(name)}, may_be_deflated_{deflated} {
    auto const [offset, size, count] = directory();
    auto at = part("the directory", offset, size);
    for (std::uint64_t i = 0; i < count; ++i) at = add_file(at);
  }

  /// The bytes of a file, or nothing.
  std::optional<ByteView> find(std::string_view file) const {
    auto const at = files_.find(file);
    return at == files_.end() ? std::nullopt : std::optional{at->second};
  }
  std::map<std::string, ByteView, std::less<>> const& files() const noexcept { return files_; }

  bool has(std::string_view file) const { return files_.contains(file) || deflated_.contains(file); }
  /// The bytes of a file that is stored or deflated, or nothing. Throws format_error for damaged ones and
  /// resource_error.
  std::optional<Bytes> unpacked(std::string_view file) const {
    if (auto const stored = find(file)) return Bytes(stored->begin(), stored->end());
    auto const at = deflated_.find(file);
    if (at == deflated_.end()) return std::nullopt;
    return inflated(at->first, at->second);
  }

 private:
  static constexpr std::uint32_t saturated = 0xffffffff;
  struct Directory {
    std::uint64_t offset, size, count;
  };
  struct Deflated {
    ByteView bytes;
    std::uint64_t size;
    std::uint32_t checksum;
  };

  [[noreturn]] void fail_archive(std::string what, std::string found, std::string expected) const {
    fail<format_error>(name_, "zip archive: " + std::move(what), std::move(found), std::move(expected),
                       "Fetch the file again, or save it again with torch.save.");
  }
  ByteView part(char const* what, std::uint64_t offset, std::uint64_t size) const {
    if (offset > archive_.size() || size > archive_.size() - offset)
      fail_archive(what, number_text(size) + " bytes at byte " + number_text(offset),
                   "a place within the " + number_text(archive_.size()) + " bytes of the file");
    return archive_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
  }
  template <class Number>
  static std::uint64_t number(ByteView bytes, std::size_t at) {
    return load_little<Number>(bytes.subspan(at));
  }

  /// From the record at the end of the archive, or its 64-bit form.
  Directory directory() const {
    constexpr std::size_t record = 22, most_comment = 0xffff, locator = 20, large_record = 56;
    if (archive_.size() < record)
      fail_archive("truncated", number_text(archive_.size()) + " bytes", "22 or more");
    auto const first = archive_.size() - std::min(archive_.size(), record + most_comment);
    auto at = archive_.size() - record;
    while (!bytes_text(archive_.subspan(at)).starts_with("PK\5\6")) {
      if (at == first) fail_archive("truncated", "no end of the directory", "the record PK 5 6 at the end");
      --at;
    }
    auto const end = archive_.subspan(at);
    Directory found{number<std::uint32_t>(end, 16), number<std::uint32_t>(end, 12),
                    number<std::uint16_t>(end, 10)};
    auto const large = found.offset == saturated || found.size == saturated || found.count == 0xffff;
    if (large && at >= locator && bytes_text(archive_.subspan(at - locator)).starts_with("PK\6\7")) {
      auto const bytes = part("the 64-bit end of the directory",
                              number<std::uint64_t>(archive_.subspan(at - locator), 8), large_record);
      if (!bytes_text(bytes).starts_with("PK\6\6"))
        fail_archive("the 64-bit end of the directory", "other data", "the record PK 6 6");
      found = {number<std::uint64_t>(bytes, 48), number<std::uint64_t>(bytes, 40),
               number<std::uint64_t>(bytes, 32)};
    }
    return found;
  }

  /// One entry of the directory; what is left of it.
  ByteView add_file(ByteView entry) {
    constexpr std::size_t fixed = 46;
    if (entry.size() < fixed || !bytes_text(entry).starts_with("PK\1\2"))
      fail_archive("directory", number_text(files_.size()) + " entries", "the entries that it announces");
    auto const flags = number<std::uint16_t>(entry, 8), method = number<std::uint16_t>(entry, 10);
    auto const name_size = static_cast<std::size_t>(number<std::uint16_t>(entry, 28));
    auto const extra_size = static_cast<std::size_t>(number<std::uint16_t>(entry, 30));
    auto const size_of_entry =
        fixed + name_size + extra_size + static_cast<std::size_t>(number<std::uint16_t>(entry, 32));
    if (size_of_entry > entry.size()) fail_archive("directory", "an entry beyond its end", "whole entries");
    auto name = std::string{bytes_text(entry.subspan(fixed, name_size))};
    auto packed = number<std::uint32_t>(entry, 20), size = number<std::uint32_t>(entry, 24),
         offset = number<std::uint32_t>(entry, 42);
    read_large(entry.subspan(fixed + name_size, extra_size), size, packed, offset);
    auto const deflated = method == 8 && may_be_deflated_;
    if ((method != 0 && !deflated) || (flags & 1U) != 0 || (method == 0 && packed != size))
      fail_archive("'" + printable(name) + "'", (flags & 1U) != 0 ? "encrypted" : "compressed",
                   may_be_deflated_ ? "stored as it is, or deflated" : "stored as it is");
    if (deflated && size > 1032 * (packed + 1))
      fail_archive("size of '" + printable(name) + "'", number_text(size),
                   "at most what " + number_text(packed) + " deflated bytes can hold");
    constexpr std::size_t local = 30;
    auto const head = part("the head of a file", offset, local);
    if (!bytes_text(head).starts_with("PK\3\4"))
      fail_archive("'" + printable(name) + "'", "other data", "its head");
    auto const begin = offset + local + number<std::uint16_t>(head, 26) + number<std::uint16_t>(head, 28);
    auto const bytes = part("a file", begin, packed);
    auto const twice = files_.contains(name) || deflated_.contains(name);
    if (deflated)
      deflated_.emplace(name,
                        Deflated{bytes, size, static_cast<std::uint32_t>(number<std::uint32_t>(entry, 16))});
    else
      files_.emplace(name, bytes);
    if (twice) fail_archive("'" + printable(name) + "'", "the name twice", "each once");
    return entry.subspan(size_of_entry);
  }

  /// Sizes of 64 bits, in the order in which those of 32 were too small.
  static void read_large(ByteView extra, std::uint64_t& size, std::uint64_t& packed, std::uint64_t& offset) {
    while (extra.size() >= 4) {
      auto const length = static_cast<std::size_t>(number<std::uint16_t>(extra, 2));
      if (length > extra.size() - 4) return;
      if (number<std::uint16_t>(extra, 0) == 1) {
        auto values = extra.subspan(4, length);
        for (auto* const value : {&size, &packed, &offset})
          if (*value == saturated && values.size() >= 8) {
            *value = number<std::uint64_t>(values, 0);
            values = values.subspan(8);
          }
      }
      extra = extra.subspan(4 + length);
    }
  }

  Bytes inflated(std::string const& file, Deflated const& from) const {
    Bytes to(static_cast<std::size_t>(from.size));
    ::z_stream stream{};
    if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK)
      fail<resource_error>(name_, "out of memory", "", "a window to inflate with");
    constexpr auto most = std::size_t{1} << 30U;
    std::size_t taken = 0, filled = 0;
    auto status = Z_OK;
    while (status == Z_OK) {
      auto const offered = std::min(from.bytes.size() - taken, most),
                 room = std::min(to.size() - filled, most);
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<Bytef const*>(from.bytes.data() + taken));
      stream.avail_in = static_cast<uInt>(offered);
      stream.next_out = reinterpret_cast<Bytef*>(to.data() + filled);
      stream.avail_out = static_cast<uInt>(room);
      status = ::inflate(&stream, Z_NO_FLUSH);
      taken += offered - stream.avail_in, filled += room - stream.avail_out;
      if (status == Z_OK && offered == stream.avail_in && room == stream.avail_out) break;  // it stands still
    }
    ::inflateEnd(&stream);
    auto const checksum = ::crc32_z(0, reinterpret_cast<Bytef const*>(to.data()), to.size());
    if (status != Z_STREAM_END || filled != to.size() || checksum != from.checksum)
      fail_archive("'" + printable(file) + "'", "damaged deflated data",
                   number_text(from.size) + " bytes with the checksum that the archive says");
    return to;
  }

  ByteView archive_;
  std::string name_;
  bool may_be_deflated_;
  std::map<std::string, ByteView, std::less<>> files_;
  std::map<std::string, Deflated, std::less<>> deflated_;
};

}  // namespace consistency
