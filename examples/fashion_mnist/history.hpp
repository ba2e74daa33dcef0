#pragma once

// What a run has seen so far: a thinned loss curve, the frames of the animation, the time spent. Saved beside
// the checkpoint, so that the report of a resumed run is whole.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <consistency/io/image.hpp>
#include <consistency/io/safetensors.hpp>

#include "recipe.hpp"

namespace fashion {

class History {
 public:
  struct Frame {
    Index step;
    Image image;
  };

  std::vector<std::int64_t> steps;  ///< of the loss curve
  std::vector<double> losses;       ///< mean since the step before
  std::vector<Frame> frames;
  double seconds = 0;  ///< of training

  explicit History(Index K) : stride_{std::max<Index>(1, K / 400)} {}

  void add(Index step, double loss) {
    sum_ += loss;
    ++count_;
    if (step % stride_ != 0) return;
    steps.push_back(step);
    losses.push_back(sum_ / static_cast<double>(count_));
    sum_ = 0;
    count_ = 0;
  }

  void save(std::filesystem::path const& path) const {
    std::vector<TensorEntry> entries = {tensor_entry("loss/step", {steps.size()}, steps),
                                        tensor_entry("loss/mean", {losses.size()}, losses)};
    for (auto const& [step, image] : frames)
      entries.push_back(tensor_entry("frame/" + std::to_string(step), extents(image), image.pixels));
    write_safetensors(path, entries, {{"seconds", to_text(seconds)}});
  }

  /// What the file says of the steps up to `last`. Throws as read_safetensors does.
  static History load(std::filesystem::path const& path, Index K, Index last) {
    auto history = History{K};
    auto const file = read_safetensors(path);
    if (auto const at = file.metadata().find("seconds"); at != file.metadata().end())
      from_text(at->second, history.seconds);
    if (auto const *at = file.find("loss/step"), *mean = file.find("loss/mean");
        at != nullptr && mean != nullptr) {
      history.steps = copy_as<std::int64_t>(*at);
      history.losses = copy_as<double>(*mean);
      auto const kept = static_cast<std::size_t>(
          std::upper_bound(history.steps.begin(), history.steps.end(), last) - history.steps.begin());
      history.steps.resize(kept);
      history.losses.resize(kept);
    }
    for (auto const& entry : file.entries()) {
      Index step = 0;
      if (!entry.name.starts_with("frame/") || !from_text(entry.name.substr(6), step) || step > last)
        continue;
      if (entry.shape.size() != 3) continue;
      history.frames.push_back({step,
                                {.height = static_cast<Index>(entry.shape[0]),
                                 .width = static_cast<Index>(entry.shape[1]),
                                 .channels = static_cast<Index>(entry.shape[2]),
                                 .pixels = copy_as<std::uint8_t>(entry)}});
    }
    std::sort(history.frames.begin(), history.frames.end(),
              [](Frame const& a, Frame const& b) { return a.step < b.step; });
    return history;
  }

 private:
  static std::vector<std::uint64_t> extents(Image const& image) {
    return {static_cast<std::uint64_t>(image.height), static_cast<std::uint64_t>(image.width),
            static_cast<std::uint64_t>(image.channels)};
  }

  Index stride_, count_ = 0;
  double sum_ = 0;
};

/// True for the steps of K after which a frame is drawn: about 40 of them, denser at the beginning.
inline bool frame_step(Index step, Index K) {
  constexpr auto last = 39.0, power = 1.5;
  auto const steps = static_cast<double>(K);
  auto const place = [&](double i) { return std::llround(steps * std::pow(i / last, power)); };
  auto const near = std::round(last * std::pow(static_cast<double>(step) / steps, 1 / power));
  for (auto const i : {near - 1, near, near + 1})
    if (i >= 0 && i <= last && place(i) == step) return true;
  return false;
}

}  // namespace fashion
