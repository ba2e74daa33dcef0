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

/// Largest header that is written, and read unless the caller allows more; in bytes.
inline constexpr std::uint64_t safetensors_header_limit = std::uint64_t{16} << 20U;

namespace detail {

inline constexpr std::string_view metadata_name = "__metadata__";
// Two keys, so that damage to one of them cannot turn a file with a digest into one without.
inline constexpr std::string_view digest_key = "digest", digest_type_key = "digest_type",
                                  digest_type = "xxh3-128";
inline constexpr std::string_view blank_digest = "00000000000000000000000000000000";

inline bool has_control_bytes(std::string_view name) {
  return std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

/// Where the digest's value stands in a header as it is written here, or npos. An unescaped quote after a
/// brace or a comma begins a key, so no other text can be taken for it.
inline std::size_t digest_position(std::string_view json) {
  for (auto const before : {"{\"", ",\""}) {
    auto const field = before + std::string{digest_key} + "\":\"";
    if (auto const at = json.find(field); at != std::string_view::npos) return at + field.size();
  }
  return std::string_view::npos;
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

  /// Throws format_error; `file` is for messages.
  SafetensorsHeader(std::string_view json, std::string file) : file_{std::move(file)} {
    // A zero byte would end the parser's input early and hide what follows.
    if (auto const at = json.find('\0'); at != std::string_view::npos)
      refuse("header", "a zero byte at byte " + number_text(at + prefix), "JSON text");
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
    numbers_->push_back(number);
    return true;
  }

  bool string(std::string& text) {
    if (place_ == Place::metadata) {
      metadata[key_] = text;
    } else if (place_ == Place::tensor && key_ == "dtype") {
      tensor_->second.dtype = dtype_of(text);
      if (!tensor_->second.dtype)
        refuse("dtype of " + subject(), "'" + printable(text) + "'", "one of the format's types, e.g. F32");
    } else {
      unexpected("the text '" + printable(text) + "'");
    }
    return true;
  }

  bool key(std::string& name) {
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
        refuse("tensor name", "'" + printable(name) + "'", "a name without control bytes");
      std::tie(tensor_, fresh) = tensors.try_emplace(name);
    }
    if (!fresh)
      refuse("header", "the key '" + printable(name) + "' twice in " + subject(), "no duplicate keys");
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
    refuse("header is not valid JSON in UTF-8",
           "'" + printable(token) + "' at byte " + number_text(position + prefix), "well-formed JSON");
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
    refuse(subject(), std::move(found), std::move(expected));
  }

  [[noreturn]] void refuse(std::string what, std::string found, std::string expected) const {
    throw format_error{{file_, std::move(what), std::move(found), std::move(expected), ""}};
  }

  std::string file_, key_;
  std::map<std::string, TensorRecord, std::less<>>::iterator tensor_;
  std::vector<std::uint64_t>* numbers_ = nullptr;
  Place place_ = Place::start;
  bool has_metadata_ = false;
};

}  // namespace detail

}  // namespace consistency
