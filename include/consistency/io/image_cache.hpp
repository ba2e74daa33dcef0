// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <consistency/io/digest.hpp>
#include <consistency/io/image_folder.hpp>
#include <consistency/io/safetensors.hpp>

namespace consistency {

namespace detail {

/// Changes with the names, sizes and times of a folder's files, and with the settings.
inline std::string folder_digest(std::filesystem::path const& folder, ImageFolderSettings const& settings) {
  auto text =
      number_text(settings.height) + "x" + number_text(settings.width) + "x" + number_text(settings.channels);
  for (auto const channel : settings.background) text += "," + number_text(int{channel});
  for (auto const& file : ImageFolderListing::of(folder).files) {
    std::error_code failure;
    auto const size = std::filesystem::file_size(file, failure);
    auto const time = std::filesystem::last_write_time(file, failure).time_since_epoch();
    text += "\n" + file.lexically_relative(folder).string() + " " + number_text(size) + " " +
            number_text(std::int64_t{std::chrono::duration_cast<std::chrono::nanoseconds>(time).count()});
  }
  return digest(text_bytes(text));
}

/// The images that a file keeps of that folder; none where it is of another, or damaged.
inline std::optional<ImageSet> cached_images(std::filesystem::path const& cache, std::string const& of) try {
  std::error_code failure;
  if (!std::filesystem::exists(cache, failure)) return std::nullopt;
  auto const file = read_safetensors(cache);
  auto const *pixels = file.find("pixels"), *labels = file.find("labels");
  auto const at = file.metadata().find("folder");
  if (at == file.metadata().end() || at->second != of || pixels == nullptr || labels == nullptr ||
      pixels->shape.size() != 4)
    return std::nullopt;
  auto const extent = [&](std::size_t axis) { return static_cast<Index>(pixels->shape[axis]); };
  ImageSet set{.count = extent(0),
               .height = extent(1),
               .width = extent(2),
               .channels = extent(3),
               .pixels = copy_as<std::uint8_t>(*pixels),
               .labels = copy_as<std::uint8_t>(*labels)};
  set.check();
  return set;
} catch (error const&) {
  return std::nullopt;  // it is written anew
}

/// Keeps them, where there is room: false where there is none.
inline bool cache_images(std::filesystem::path const& cache, std::string const& of, ImageSet const& set) try {
  auto const u = [](Index extent) { return static_cast<std::uint64_t>(extent); };
  auto const entries = std::vector{
      tensor_entry("pixels", {u(set.count), u(set.height), u(set.width), u(set.channels)}, set.pixels),
      tensor_entry("labels", {set.labels.size()}, set.labels)};
  write_safetensors(cache, entries, {{"folder", of}});
  return true;
} catch (io_error const&) {
  return false;
}

}  // namespace detail

/// read_image_folder by way of a file that keeps the decoded pictures: it is read where it is of these files
/// and settings, and else written anew. Where it cannot be written the pictures are given all the same.
template <class Progress>
ImageSet read_image_folder(std::filesystem::path const& folder, ImageFolderSettings const& settings,
                           std::filesystem::path const& cache, Progress const& progress) {
  settings.check();
  auto const of = detail::folder_digest(folder, settings);
  if (auto kept = detail::cached_images(cache, of)) return *std::move(kept);
  auto set = read_image_folder(folder, settings, progress);
  detail::cache_images(cache, of, set);
  return set;
}

}  // namespace consistency
