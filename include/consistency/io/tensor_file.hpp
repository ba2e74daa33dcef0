// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <consistency/io/safetensors_read.hpp>
#include <consistency/io/torch_file.hpp>

namespace consistency {

/// A file of named tensors of either format.
class TensorFile {
 public:
  TensorFile(SafetensorsFile file)
      : file_{std::move(file)} {}                         // NOLINT(google-explicit-constructor): it is one
  TensorFile(TorchFile file) : file_{std::move(file)} {}  // NOLINT(google-explicit-constructor)

  std::span<TensorEntry const> entries() const& {
    return std::visit([](auto const& file) { return file.entries(); }, file_);
  }
  void entries() const&& = delete;  // they would outlive the file
  /// The entry of that name, or nullptr.
  TensorEntry const* find(std::string_view name) const {
    return std::visit([&](auto const& file) { return file.find(name); }, file_);
  }

 private:
  std::variant<SafetensorsFile, TorchFile> file_;
};

/// A safetensors or PyTorch file, by its first bytes, seen where the system keeps it. Throws as
/// read_safetensors and TorchFile do.
inline TensorFile read_tensor_file(std::filesystem::path const& path) {
  auto contents = FileContents::mapped(path);
  if (is_zip(contents.view())) return TorchFile{std::move(contents), path.string()};
  auto const bytes = contents.view();
  if (bytes.size() > 2 && bytes[0] == std::byte{0x80} && std::to_integer<int>(bytes[1]) <= 5 &&
      bytes[2] != std::byte{0})
    fail<format_error>(path.string(), "kind of file", "a pickle",
                       "safetensors, or a PyTorch file of version 1.6 or later",
                       "Save it again: torch.save(torch.load(path, weights_only=True), path).");
  return parse_safetensors(std::move(contents), path.string());
}

}  // namespace consistency
