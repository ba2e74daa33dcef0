#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <zlib.h>

#include <consistency/core/error.hpp>
#include <consistency/io/bytes.hpp>

namespace consistency {

inline bool is_gzip(ByteView bytes) {
  return bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b};
}

namespace detail {

class Inflater {
 public:
  explicit Inflater(std::string name) : name_{std::move(name)} {
    constexpr auto gzip_only = 16 + MAX_WBITS;
    if (::inflateInit2(&stream_, gzip_only) != Z_OK)
      throw resource_error{{name_, "out of memory", "", "a window to inflate with", ""}};
  }
  Inflater(Inflater const&) = delete;
  Inflater& operator=(Inflater const&) = delete;
  ~Inflater() { ::inflateEnd(&stream_); }

  /// Unpacks one member from the front of `packed` onto `plain`, and moves `packed` behind it.
  void member(ByteView& packed, Bytes& plain, std::uint64_t limit) {
    std::array<std::byte, std::size_t{1} << 16U> piece;
    ::inflateReset(&stream_);
    for (auto status = Z_OK; status != Z_STREAM_END;) {
      auto const offered = std::min(packed.size(), std::size_t{1} << 30U);
      stream_.next_in = const_cast<Bytef*>(reinterpret_cast<Bytef const*>(packed.data()));  // zlib only reads
      stream_.avail_in = static_cast<uInt>(offered);
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<uInt>(piece.size());
      status = ::inflate(&stream_, Z_NO_FLUSH);
      auto const made = piece.size() - stream_.avail_out;
      packed = packed.subspan(offered - stream_.avail_in);
      if (status == Z_BUF_ERROR) refuse("truncated", plain.size(), "the end of the data");
      if (status != Z_OK && status != Z_STREAM_END)
        refuse(stream_.msg == nullptr ? "damaged" : stream_.msg, plain.size(), "valid gzip data");
      if (made > limit - plain.size())
        refuse("too large", plain.size() + made, "at most " + number_text(limit));
      plain.insert(plain.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(made));
    }
  }

  [[noreturn]] void refuse(std::string const& why, std::uint64_t unpacked, std::string expected) const {
    throw format_error{{name_, "gzip data: " + why,
                        "stopped after " + number_text(unpacked) + " unpacked bytes", std::move(expected),
                        "Fetch the file again."}};
  }

 private:
  std::string name_;
  ::z_stream stream_{};
};

}  // namespace detail

/// Unpacks a .gz file (one or more members, checksums verified) of at most `limit` bytes. `name` is for
/// messages. Throws format_error: not gzip, damaged, truncated, trailing bytes, more than `limit`.
inline Bytes gunzip(ByteView packed, std::uint64_t limit, std::string const& name) {
  auto inflater = detail::Inflater{name};
  Bytes plain;
  do {
    if (!is_gzip(packed)) inflater.refuse("no gzip member", plain.size(), "the bytes 1f 8b");
    inflater.member(packed, plain, limit);
  } while (!packed.empty());
  return plain;
}

}  // namespace consistency
