// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <consistency/core/parallel.hpp>
#include <consistency/data/image_set.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/jpeg.hpp>
#include <consistency/io/png.hpp>
#include <consistency/io/resize_image.hpp>

namespace consistency {

struct ImageFolderSettings {
  Index height = 0, width = 0;  ///< pictures are cropped and resized to; 0: all have the size of the first
  Index channels = 3;           ///< 1: grey, 3, or 4 with opacity
  std::array<std::uint8_t, 3> background{255, 255, 255};  ///< of transparent pictures, unless channels = 4

  void check() const {
    if (height < 0 || width < 0 || (height == 0) != (width == 0) || std::max(height, width) > 1 << 14)
      fail<config_error>("ImageFolderSettings", "size", number_text(height) + " x " + number_text(width),
                         "0 and 0, or two sides of 1 to 16384 pixels");
    if (channels != 1 && channels != 3 && channels != 4)
      fail<config_error>("ImageFolderSettings", "channels", number_text(channels), "1, 3 or 4");
  }
};

/// A folder's pictures, those of the first sub-folder first. Sub-folders are classes.
struct ImageFolderListing {
  std::vector<std::filesystem::path> files;
  std::vector<std::string> classes;  ///< in the order of their names; none where there are no sub-folders
  std::vector<std::uint8_t> labels;  ///< of each file, where there are classes

  /// Hidden files and folders are passed over. Throws io_error, and dataset_error where there is no file, a
  /// file beside sub-folders, a folder in one of them, or more than 256 classes.
  static ImageFolderListing of(std::filesystem::path const& folder) {
    ImageFolderListing all;
    auto const [files, folders] = entries(folder);
    if (!files.empty() && !folders.empty())
      fail<dataset_error>(
          folder.string(), "pictures beside folders of pictures",
          files.front().filename().string() + " and " + folders.front().filename().string() + "/",
          "pictures, or one folder for each class", "Move one or the other away.");
    if (folders.size() > 256)
      fail<dataset_error>(folder.string(), "classes", number_text(folders.size()) + " folders",
                          "256 at most");
    all.files = files;
    for (auto const& path : folders) {
      auto const [inside, deeper] = entries(path);
      if (inside.empty() || !deeper.empty())
        fail<dataset_error>(
            path.string(), "folder of a class",
            inside.empty() ? "no picture in it" : "the folder " + deeper.front().filename().string(),
            "pictures alone");
      all.labels.insert(all.labels.end(), inside.size(), static_cast<std::uint8_t>(all.classes.size()));
      all.files.insert(all.files.end(), inside.begin(), inside.end());
      all.classes.push_back(path.filename().string());
    }
    if (all.files.empty())
      fail<dataset_error>(folder.string(), "empty folder", "no file", "PNG or JPEG pictures",
                          "Is it the folder that you mean?");
    return all;
  }

 private:
  struct Entries {
    std::vector<std::filesystem::path> files, folders;
  };
  static Entries entries(std::filesystem::path const& folder) {
    Entries found;
    std::error_code failure;
    auto at = std::filesystem::directory_iterator{folder, failure};
    for (; !failure && at != std::filesystem::directory_iterator{}; at.increment(failure)) {
      if (at->path().filename().string().starts_with('.')) continue;
      (at->is_directory(failure) ? found.folders : found.files).push_back(at->path());
    }
    if (failure)
      detail::fail_io(folder, "reading the folder failed", failure.value(),
                      "Check its name and permissions.");
    std::sort(found.files.begin(), found.files.end());
    std::sort(found.folders.begin(), found.folders.end());
    return found;
  }
};

/// A PNG or JPEG file, by its first bytes. Throws as read_png and read_jpeg do, and format_error for neither.
inline Image read_picture(std::filesystem::path const& path) {
  auto const file = read_file(path);
  if (is_png(file)) return decode_png(file, path.string());
  if (is_jpeg(file)) return decode_jpeg(file, path.string());
  auto const kind = recognise(file);
  fail<format_error>(path.string(), "kind of picture",
                     kind.name.empty() ? "other data" : std::string{kind.name}, "a PNG or JPEG file",
                     "Convert it, or move it out of the folder.");
}

/// The picture with other channels: transparency over a background, colours as grey (ITU-R BT.601) or grey as
/// colours.
inline Image with_channels(Image const& image, Index channels,
                           std::array<std::uint8_t, 3> const& background) {
  if (image.channels == channels) return image;
  Image result{.height = image.height, .width = image.width, .channels = channels, .pixels = {}};
  auto const pixels = static_cast<std::size_t>(image.height * image.width),
             from = static_cast<std::size_t>(image.channels);
  result.pixels.reserve(pixels * static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < pixels; ++i) {
    auto const* const p = image.pixels.data() + i * from;
    std::array<int, 4> rgba{p[0], p[from > 1 ? 1 : 0], p[from > 1 ? 2 : 0], from == 4 ? p[3] : 255};
    if (channels != 4)
      for (std::size_t c = 0; c < 3; ++c)
        rgba[c] = (rgba[c] * rgba[3] + background[c] * (255 - rgba[3]) + 127) / 255;
    if (channels == 1)
      result.pixels.push_back(
          static_cast<std::uint8_t>((299 * rgba[0] + 587 * rgba[1] + 114 * rgba[2] + 500) / 1000));
    else
      for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
        result.pixels.push_back(static_cast<std::uint8_t>(rgba[c]));
  }
  return result;
}

/// The pictures of a folder as a data set, in the order of their names; progress(done, all) is called now and
/// then. Sub-folders are classes, which labels number. Throws as ImageFolderListing and read_picture do, and
/// dataset_error, naming both, for pictures of two sizes where none is asked for.
template <class Progress>
ImageSet read_image_folder(std::filesystem::path const& folder, ImageFolderSettings const& settings,
                           Progress const& progress) {
  settings.check();
  auto const listing = ImageFolderListing::of(folder);
  auto const count = static_cast<Index>(listing.files.size());
  ImageSet set{.count = count,
               .height = settings.height,
               .width = settings.width,
               .channels = settings.channels,
               .pixels = {},
               .labels = listing.labels};
  constexpr Index together = 64;
  std::vector<Image> images(static_cast<std::size_t>(together));
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(together));
  for (Index begin = 0; begin < count; begin += together) {
    auto const n = std::min(together, count - begin);
    parallel_for(n, [&](Index i) {
      auto const at = static_cast<std::size_t>(i);
      try {
        auto image = with_channels(read_picture(listing.files[static_cast<std::size_t>(begin + i)]),
                                   settings.channels, settings.background);
        images[at] = settings.height == 0 ? std::move(image)
                                          : resized(centre_cropped(image, settings.height, settings.width),
                                                    settings.height, settings.width);
      } catch (...) {
        failures[at] = std::current_exception();
      }
    });
    for (Index i = 0; i < n; ++i) {
      auto const at = static_cast<std::size_t>(i);
      if (failures[at]) std::rethrow_exception(failures[at]);
      auto const& image = images[at];
      if (begin + i == 0) set.height = image.height, set.width = image.width;
      if (image.height != set.height || image.width != set.width)
        fail<dataset_error>(listing.files[static_cast<std::size_t>(begin + i)].string(),
                            "pictures of two sizes", image.text(),
                            "(" + number_text(set.height) + ", " + number_text(set.width) + ", " +
                                number_text(set.channels) + ") as " +
                                listing.files.front().filename().string() + " has",
                            "Ask for one size: .height and .width, or --size.");
      if (begin + i == 0)
        detail::within_memory(
            folder, [&] { set.pixels.reserve(static_cast<std::size_t>(count * set.image_size())); });
      set.pixels.insert(set.pixels.end(), image.pixels.begin(), image.pixels.end());
    }
    progress(begin + n, count);
  }
  return set;
}
inline ImageSet read_image_folder(std::filesystem::path const& folder,
                                  ImageFolderSettings const& settings = {}) {
  return read_image_folder(folder, settings, [](Index, Index) {});
}

}  // namespace consistency
