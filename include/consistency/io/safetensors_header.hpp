// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <consistency/core/error.hpp>
#include <consistency/io/dtype.hpp>

namespace consistency {

/// Free text that travels with the tensors of a file.
using Metadata = std::map<std::string, std::string>;

/// Largest header that is written, and read unless the caller allows more; in bytes. What is made of a header
/// takes at most twice as much memory.
inline constexpr std::uint64_t safetensors_header_limit = std::uint64_t{16} << 20U;
/// Largest name or text of the metadata; where the caller allows more, an eighth of that.
inline constexpr std::uint64_t safetensors_text_limit = safetensors_header_limit / 8;

namespace detail {

inline constexpr std::string_view metadata_name = "__metadata__";

inline bool has_control_bytes(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// What is made of a header may take `header_memory(limit)` bytes: so much for a tensor, a number in its shape
// or offsets, and a text of the metadata, beside their names and the text itself.
inline constexpr std::uint64_t tensor_memory = 320, number_memory = 16, text_memory = 144;
constexpr std::uint64_t header_memory(std::uint64_t limit) { return limit + limit / 4; }

/// Bytes of the longest part of a header that a parser must hold as one: a text, a number, white space.
inline std::size_t longest_token(std::string_view json) {
  std::size_t longest = 0, begin = 0;
  auto quoted = false;
  for (std::size_t at = 0; at < json.size(); ++at) {
    auto const c = json[at];
    if (quoted && c == '\\') {
      ++at;
    } else if (c == '"' ||
               (!quoted && (c == ',' || c == ':' || c == '[' || c == ']' || c == '{' || c == '}'))) {
      longest = std::max(longest, at - begin);
      quoted = c == '"' && !quoted;
      begin = at + 1;
    }
  }
  return std::max(longest, json.size() - std::min(begin, json.size()));
}

/// What a header says about one tensor; offsets count from the end of the header.
struct TensorRecord {
  std::optional<DType> dtype;
  std::optional<std::vector<std::uint64_t>> shape, offsets;
};

/// Builds records from JSON events, accepting exactly the nesting that the format has (3 deep) and nothing
/// twice.
class SafetensorsHeader {
 public:
  std::map<std::string, TensorRecord, std::less<>> tensors;
  Metadata metadata;

  /// Throws format_error, also for a header whose contents would take much more memory than `limit`; `file`
  /// is for messages.
  SafetensorsHeader(std::string_view json, std::string file, std::uint64_t limit)
      : file_{std::move(file)}, memory_{header_memory(limit)} {
    if (auto const longest = json.size() > limit / 8 ? longest_token(json) : 0; longest > limit / 8)
      fail<format_error>(file_, "header", "a text or number of " + number_text(longest) + " bytes",
                         "at most " + number_text(limit / 8) + ", an eighth of the limit of the header");
    // A zero byte would end the parser's input early and hide what follows.
    if (auto const at = json.find('\0'); at != std::string_view::npos)
      fail<format_error>(file_, "header", "a zero byte at byte " + number_text(at + prefix), "JSON text");
    nlohmann::json::sax_parse(json.data(), json.data() + json.size(), this);
  }

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("true or false"); }
  bool number_integer(std::int64_t number) {
    return unexpected("the negative number " + number_text(number));
  }
  bool number_float(double, std::string const& text) { return unexpected("the number " + printable(text)); }
  bool binary(nlohmann::json::binary_t&) { return unexpected("binary data"); }

  bool number_unsigned(std::uint64_t number) {
    if (numbers_ == nullptr) unexpected("the number " + number_text(number));
    if (numbers_->size() == largest_rank) unexpected("one number more");
    claim(number_memory);
    numbers_->push_back(number);
    return true;
  }

  bool string(std::string& text) {
    if (place_ == Place::metadata) {
      claim(text.size());
      metadata[key_] = text;
    } else if (place_ == Place::tensor && key_ == "dtype") {
      tensor_->second.dtype = dtype_of(text);
      if (!tensor_->second.dtype)
        fail<format_error>(file_, "dtype of " + subject(), "'" + printable(text) + "'",
                           "one of the format's types, e.g. F32");
    } else {
      unexpected("the text '" + printable(text) + "'");
    }
    return true;
  }

  bool key(std::string& name) {
    if (place_ == Place::root && name != metadata_name) claim(tensor_memory + 2 * name.size());
    if (place_ == Place::metadata) claim(text_memory + name.size());
    key_ = name;
    auto fresh = false;
    if (place_ == Place::metadata) {
      fresh = metadata.try_emplace(name).second;
    } else if (place_ == Place::tensor) {
      auto const& record = tensor_->second;
      if (name != "dtype" && name != "shape" && name != "data_offsets")
        unexpected("the key '" + printable(name) + "'");
      fresh = name == "dtype" ? !record.dtype : name == "shape" ? !record.shape : !record.offsets;
    } else if (name == metadata_name) {
      fresh = !std::exchange(has_metadata_, true);
    } else {
      if (has_control_bytes(name))
        fail<format_error>(file_, "tensor name", "'" + printable(name) + "'", "a name without control bytes");
      std::tie(tensor_, fresh) = tensors.try_emplace(name);
    }
    if (!fresh)
      fail<format_error>(file_, "header", "the key '" + printable(name) + "' twice in " + subject(),
                         "no duplicate keys");
    return true;
  }

  bool start_object(std::size_t) {
    if (place_ == Place::start) {
      place_ = Place::root;
    } else if (place_ == Place::root) {
      place_ = key_ == metadata_name ? Place::metadata : Place::tensor;
    } else {
      unexpected("an object");
    }
    return true;
  }

  bool end_object() {
    if (place_ == Place::tensor) {
      auto const& [dtype, shape, offsets] = tensor_->second;
      if (!dtype || !shape || !offsets) unexpected("the end of the object");
    }
    place_ = Place::root;
    return true;
  }

  bool start_array(std::size_t) {
    if (place_ != Place::tensor || numbers_ != nullptr || key_ == "dtype") unexpected("an array");
    auto& record = tensor_->second;
    numbers_ = &(key_ == "shape" ? record.shape : record.offsets).emplace();
    return true;
  }

  bool end_array() {
    numbers_ = nullptr;
    return true;
  }

  template <class Exception>
  bool parse_error(std::size_t position, std::string const& token, Exception const&) {
    fail<format_error>(file_, "header is not valid JSON in UTF-8",
                       "'" + printable(token) + "' at byte " + number_text(position + prefix),
                       "well-formed JSON");
  }

 private:
  enum class Place { start, root, metadata, tensor };
  static constexpr std::size_t largest_rank = 64, prefix = 8;

  std::string subject() const {
    if (place_ == Place::metadata) return std::string{metadata_name};
    return place_ == Place::tensor ? "tensor '" + printable(tensor_->first) + "'" : "the header";
  }

  bool unexpected(std::string found) const {
    auto expected = std::string{"an object of tensors"};
    if (place_ == Place::metadata) expected = "text for the key '" + printable(key_) + "'";
    if (place_ == Place::root) expected = "an object for the key '" + printable(key_) + "'";
    if (place_ == Place::tensor)
      expected = numbers_ != nullptr ? "at most 64 whole numbers from 0 to 2^64 - 1 in " + key_
                                     : "dtype (text), shape and data_offsets (arrays), and nothing else";
    fail<format_error>(file_, subject(), std::move(found), std::move(expected));
  }

  /// Takes its share of the memory that a header may lead to.
  void claim(std::uint64_t bytes) {
    if (bytes > memory_)
      fail<format_error>(file_, "header",
                         number_text(tensors.size()) + " tensors and " + number_text(metadata.size()) +
                             " texts of metadata up to here",
                         "fewer: they take more memory than a header may, in relation to its limit");
    memory_ -= bytes;
  }

  std::string file_, key_;
  std::uint64_t memory_;
  std::map<std::string, TensorRecord, std::less<>>::iterator tensor_;
  std::vector<std::uint64_t>* numbers_ = nullptr;
  Place place_ = Place::start;
  bool has_metadata_ = false;
};

}  // namespace detail

}  // namespace consistency
