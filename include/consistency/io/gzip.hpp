// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include <zlib.h>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>

namespace consistency {

inline bool is_gzip(ByteView bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

namespace detail {

/// A .gz file of one or more members, unpacked from front to back. `packed` must outlive it; `name` is for
/// messages. Throws format_error (not gzip, damaged, truncated, trailing bytes) or resource_error.
class GzipReader {
 public:
  GzipReader(ByteView packed, std::string name) : packed_{packed}, name_{std::move(name)} {
    constexpr auto gzip_only = 16 + MAX_WBITS;
    if (::inflateInit2(&stream_, gzip_only) != Z_OK) fail_memory();
  }
  GzipReader(GzipReader const&) = delete;
  GzipReader& operator=(GzipReader const&) = delete;
  ~GzipReader() { ::inflateEnd(&stream_); }

  /// Fills `to`, or as much of it as there are bytes left; how many. The checksum of a member is verified
  /// when its end is read: a read beyond the last byte has seen them all.
  std::size_t read(std::span<std::byte> to) {
    std::size_t filled = 0;
    while (filled < to.size() && begin_member()) {
      constexpr auto most = std::size_t{1} << 30U;
      auto const offered = std::min(packed_.size(), most), room = std::min(to.size() - filled, most);
      stream_.next_in =
          const_cast<Bytef*>(reinterpret_cast<Bytef const*>(packed_.data()));  // zlib only reads
      stream_.avail_in = static_cast<uInt>(offered);
      stream_.next_out = reinterpret_cast<Bytef*>(to.data() + filled);
      stream_.avail_out = static_cast<uInt>(room);
      auto const status = ::inflate(&stream_, Z_NO_FLUSH);
      filled += room - stream_.avail_out;
      done_ += room - stream_.avail_out;
      packed_ = packed_.subspan(offered - stream_.avail_in);
      if (status == Z_MEM_ERROR) fail_memory();
      if (status == Z_BUF_ERROR) fail_data("truncated", "the end of the data");
      if (status != Z_OK && status != Z_STREAM_END)
        fail_data(stream_.msg == nullptr ? "damaged" : stream_.msg, "valid gzip data");
      inside_ = status == Z_OK;
    }
    return filled;
  }

  /// More than this cannot be left: a byte of deflate makes at most 1032.
  std::uint64_t at_most() const { return 1032 * (std::uint64_t{packed_.size()} + 1); }

  [[noreturn]] void fail_data(std::string const& why, std::string expected) const {
    fail<format_error>(name_, "gzip data: " + why, "stopped after " + number_text(done_) + " unpacked bytes",
                       std::move(expected), "Fetch the file again.");
  }

 private:
  [[noreturn]] void fail_memory() const {
    fail<resource_error>(name_, "out of memory", "", "a window to inflate with");
  }

  /// False where the last member has ended.
  bool begin_member() {
    if (inside_) return true;
    if (packed_.empty() && begun_) return false;
    if (!is_gzip(packed_)) fail_data("no gzip member", "the bytes 1f 8b");
    ::inflateReset(&stream_);
    return inside_ = begun_ = true;
  }

  ByteView packed_;
  std::string name_;
  ::z_stream stream_{};
  std::uint64_t done_ = 0;
  bool inside_ = false, begun_ = false;
};

}  // namespace detail

/// Unpacks a .gz file (one or more members, checksums verified) of at most `limit` bytes. `name` is for
/// messages. Throws format_error: not gzip, damaged, truncated, trailing bytes, more than `limit`.
inline Bytes gunzip(ByteView packed, std::uint64_t limit, std::string const& name) {
  auto reader = detail::GzipReader{packed, name};
  std::array<std::byte, std::size_t{1} << 16U> piece;
  Bytes plain;
  for (auto got = piece.size(); got == piece.size();) {
    got = reader.read(piece);
    if (got > limit - plain.size()) reader.fail_data("too large", "at most " + number_text(limit));
    plain.insert(plain.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  }
  return plain;
}

}  // namespace consistency
