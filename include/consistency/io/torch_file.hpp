// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <consistency/core/bytes.hpp>
#include <consistency/core/error.hpp>
#include <consistency/io/dtype.hpp>
#include <consistency/io/file_contents.hpp>
#include <consistency/io/pickle.hpp>
#include <consistency/io/tensor_entry.hpp>
#include <consistency/io/zip.hpp>

namespace consistency {

/// The tensors of a PyTorch file (.pt, .pth; torch.save since 1.6): a state dict, or dictionaries of them,
/// whose keys are joined by dots. Other values are passed over, and no code is run. Entries point into the
/// file; moving it keeps them valid.
class TorchFile {
 public:
  /// Throws format_error: no such archive, a pickle that asks to run code (naming what), tensors outside
  /// their storage, a name twice, big-endian numbers.
  TorchFile(FileContents contents, std::string name)
      : contents_{std::move(contents)}, name_{std::move(name)} {
    auto const archive = ZipArchive{contents_.view(), name_};
    auto const folder = folder_of(archive);
    if (auto const order = archive.find(folder + "byteorder"); order && bytes_text(*order) != "little")
      fail<format_error>(name_, "order of bytes", "'" + printable(bytes_text(*order)) + "'", "little");
    auto const pickle = Pickle{archive.find(folder + "data.pkl").value(), name_ + ":data.pkl", allowed};
    collect(archive, folder, pickle.value(), "");
    by_name_.resize(entries_.size());
    for (std::size_t i = 0; i < by_name_.size(); ++i) by_name_[i] = i;
    std::sort(by_name_.begin(), by_name_.end(),
              [&](std::size_t a, std::size_t b) { return entries_[a].name < entries_[b].name; });
    auto const twice = std::adjacent_find(
        by_name_.begin(), by_name_.end(),
        [&](std::size_t a, std::size_t b) { return entries_[a].name == entries_[b].name; });
    if (twice != by_name_.end())
      fail<format_error>(name_, "name of a tensor", "'" + printable(entries_[*twice].name) + "' twice",
                         "each once");
  }

  std::span<TensorEntry const> entries() const { return entries_; }  ///< in the order of the dictionary
  /// The entry of that name, or nullptr.
  TensorEntry const* find(std::string_view name) const {
    auto const at =
        std::lower_bound(by_name_.begin(), by_name_.end(), name,
                         [&](std::size_t i, std::string_view key) { return entries_[i].name < key; });
    return at != by_name_.end() && entries_[*at].name == name ? &entries_[*at] : nullptr;
  }

 private:
  using Kind = PickleValue::Kind;
  static constexpr std::string_view rebuild = "torch._utils _rebuild_tensor_v2",
                                    parameter = "torch._utils _rebuild_parameter";

  static constexpr std::optional<DType> storage_type(std::string_view name) {
    constexpr auto types =
        std::array<std::pair<std::string_view, DType>, 10>{{{"torch FloatStorage", DType::f32},
                                                            {"torch DoubleStorage", DType::f64},
                                                            {"torch HalfStorage", DType::f16},
                                                            {"torch BFloat16Storage", DType::bf16},
                                                            {"torch LongStorage", DType::i64},
                                                            {"torch IntStorage", DType::i32},
                                                            {"torch ShortStorage", DType::i16},
                                                            {"torch CharStorage", DType::i8},
                                                            {"torch ByteStorage", DType::u8},
                                                            {"torch BoolStorage", DType::boolean}}};
    for (auto const& [own, type] : types)
      if (own == name) return type;
    return std::nullopt;
  }
  static bool allowed(std::string_view global) {
    return global == rebuild || global == parameter || global == "collections OrderedDict" ||
           global == "torch Size" || global == "torch device" || storage_type(global).has_value();
  }

  std::string folder_of(ZipArchive const& archive) const {
    constexpr auto last = std::string_view{"/data.pkl"};
    for (auto const& [file, bytes] : archive.files())
      if (file.ends_with(last) && file.find('/') == file.size() - last.size())
        return file.substr(0, file.size() - last.size() + 1);
    fail<format_error>(name_, "PyTorch file", "a zip archive without data.pkl", "what torch.save writes",
                       "TorchScript files (torch.jit.save) hold programs: save the state dict instead.");
  }

  [[noreturn]] void fail_tensor(std::string const& tensor, std::string found, std::string expected) const {
    fail<format_error>(name_, "tensor '" + printable(tensor) + "'", std::move(found), std::move(expected),
                       "Fetch the file again, or save it again with torch.save.");
  }

  void collect(ZipArchive const& archive, std::string const& folder, PickleValue const& value,
               std::string const& name) {
    names_ += name.size();
    if (++visits_ > most_visits || names_ > most_names)
      fail<format_error>(name_, "values and their names", "more than " + number_text(most_visits),
                         "a state dict");
    if (value.is(Kind::dictionary)) {
      for (std::size_t i = 0; i + 1 < value.parts.size(); i += 2)
        if (value.parts[i]->is(Kind::text))
          collect(archive, folder, *value.parts[i + 1],
                  name + (name.empty() ? "" : ".") + std::string{value.parts[i]->text});
    } else if (value.is(Kind::call) && value.parts.front()->is(Kind::global)) {
      if (value.parts.front()->text == parameter && value.parts.size() > 1)
        collect(archive, folder, *value.parts[1], name);
      else if (value.parts.front()->text == rebuild)
        entries_.push_back(tensor(archive, folder, value, name));
    }
  }

  std::vector<std::uint64_t> extents(PickleValue const& value, std::string const& name) const {
    std::vector<std::uint64_t> all;
    for (auto const* const part : value.parts) {
      if (!part->is(Kind::integer) || part->integer < 0)
        fail_tensor(name, "an extent or stride that is none", "0 or more");
      all.push_back(static_cast<std::uint64_t>(part->integer));
    }
    return all;
  }

  /// _rebuild_tensor_v2(storage, offset, extents, strides, …) with the storage ("storage", type, key, place,
  /// count).
  TensorEntry tensor(ZipArchive const& archive, std::string const& folder, PickleValue const& call,
                     std::string const& name) const {
    auto const of = [&](PickleValue const* value, Kind kind) {
      if (!value->is(kind))
        fail_tensor(name, "a description that is none", "storage, offset, extents and strides");
      return value;
    };
    if (call.parts.size() < 5 || !call.parts[1]->is(Kind::call) || call.parts[1]->parts.size() != 1)
      fail_tensor(name, "a description that is none", "storage, offset, extents and strides");
    auto const& storage = *of(call.parts[1]->parts.front(), Kind::tuple);
    if (storage.parts.size() < 5) fail_tensor(name, "a storage that is none", "type, key, place and count");
    auto const type = storage_type(of(storage.parts[1], Kind::global)->text);
    if (!type)
      fail_tensor(name, "numbers of type '" + printable(storage.parts[1]->text) + "'",
                  "a type of PyTorch's storages");
    auto const file = archive.find(folder + "data/" + std::string{of(storage.parts[2], Kind::text)->text});
    if (!file)
      fail_tensor(name, "no file for its numbers", folder + "data/" + std::string{storage.parts[2]->text});

    TensorEntry entry{name, *type, extents(*of(call.parts[3], Kind::tuple), name), {}, {}};
    auto const strides = extents(*of(call.parts[4], Kind::tuple), name);
    auto const offset = static_cast<std::uint64_t>(of(call.parts[2], Kind::integer)->integer);
    auto const size = facts(*type).bits / 8;
    auto const held = file->size() / size;
    if (strides.size() != entry.shape.size())
      fail_tensor(name, number_text(strides.size()) + " strides", "one for each extent");
    auto const count = checked_product(entry.shape);
    if (!count || *count > std::uint64_t{1} << 60U)
      fail_tensor(name, detail::shape_text(entry.shape), "a size that can exist");
    if (*count == 0) return entry;
    auto last = offset;  // of its numbers in the storage
    for (std::size_t axis = 0; axis < strides.size(); ++axis) {
      auto const along = checked_product(std::array{entry.shape[axis] - 1, strides[axis]});
      last = !along || *along >= held - std::min(held, last) ? held : last + *along;
    }
    if (offset >= held || last >= held)
      fail_tensor(name, "numbers up to " + number_text(last) + " of its storage",
                  "at most the " + number_text(held) + " that it has");
    entry.bytes = file->subspan(static_cast<std::size_t>(offset * size),
                                static_cast<std::size_t>((last - offset + 1) * size));
    if (!row_major(entry.shape, strides)) entry.strides = strides;
    return entry;
  }

  static bool row_major(std::vector<std::uint64_t> const& shape, std::vector<std::uint64_t> const& strides) {
    std::uint64_t expected = 1;
    for (auto axis = shape.size(); axis-- > 0; expected *= shape[axis])
      if (shape[axis] != 1 && strides[axis] != expected) return false;
    return true;
  }

  static constexpr std::size_t most_visits = 100'000, most_names = std::size_t{1} << 23U;  // bytes

  FileContents contents_;
  std::string name_;
  std::size_t visits_ = 0, names_ = 0;
  std::vector<TensorEntry> entries_;
  std::vector<std::size_t> by_name_;
};

}  // namespace consistency
