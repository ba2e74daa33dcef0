// SPDX-License-Identifier: MIT
#pragma once

// What a run has seen so far: a thinned loss curve, the frames of the animation, the time spent. Saved beside
// the checkpoint, so that the report of a resumed run is whole.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <consistency/io/digest.hpp>
#include <consistency/io/image.hpp>
#include <consistency/io/safetensors.hpp>

#include "recipe.hpp"

namespace run {

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

  void save(std::filesystem::path const& path, Recipe const& recipe) const {
    std::vector<TensorEntry> entries = {tensor_entry("loss/step", {steps.size()}, steps),
                                        tensor_entry("loss/mean", {losses.size()}, losses)};
    for (auto const& [step, image] : frames)
      entries.push_back(tensor_entry("frame/" + to_text(step), extents(image), image.pixels));
    write_safetensors(path, entries, {{"seconds", to_text(seconds)}, {"run", run_of(recipe)}});
  }

  /// What the file says of the steps up to `last` of the run of `recipe`. What does not fit, such as frames
  /// of another shape than `like` or losses that are not finite, is left out, and dropped(text) says so.
  /// Throws as read_safetensors does.
  static History load(std::filesystem::path const& path, Recipe const& recipe, Index last, Image const& like,
                      auto const& dropped) {
    auto history = History{recipe.steps};
    auto const file = read_safetensors(path);
    auto const say = [&](std::string const& what) { dropped(path.string() + ": left out: " + what + "."); };
    auto const& metadata = file.metadata();
    if (auto const run = metadata.find("run"); run != metadata.end() && run->second != run_of(recipe)) {
      say("the history of another run");
      return history;
    }
    if (auto const at = metadata.find("seconds"); at != metadata.end()) {
      auto const reads =
          from_text(at->second, history.seconds) && history.seconds >= 0 && history.seconds < 1e9;
      if (!reads) history.seconds = 0, say("the time '" + printable(at->second) + "'");
    }
    history.load_losses(file, last, say);
    history.load_frames(file, last, like, say);
    return history;
  }

 private:
  /// Tells runs apart; those of one recipe have the same losses. A plan by time changes its number of steps.
  static std::string run_of(Recipe const& recipe) {
    std::string text;
    for (auto const& [name, value] : to_metadata(recipe))
      if (recipe.minutes == 0 || name != "steps") text += name + "=" + value + "\n";
    return digest(text_bytes(text));
  }

  void load_losses(SafetensorsFile const& file, Index last, auto const& say) {
    auto const *at = file.find("loss/step"), *mean = file.find("loss/mean");
    if (at == nullptr && mean == nullptr) return;
    if (at == nullptr || mean == nullptr || at->dtype != DType::i64 || mean->dtype != DType::f64 ||
        at->bytes.size() != mean->bytes.size())
      return say("a loss curve whose steps and means do not belong together");
    auto const of_step = copy_as<std::int64_t>(*at);
    auto const of_mean = copy_as<double>(*mean);
    std::size_t unfit = 0;
    for (std::size_t i = 0; i < of_step.size(); ++i) {
      auto const follows = of_step[i] > (steps.empty() ? 0 : steps.back());
      if (!follows || !std::isfinite(of_mean[i])) {
        ++unfit;
      } else if (of_step[i] <= last) {
        steps.push_back(of_step[i]);
        losses.push_back(of_mean[i]);
      }
    }
    if (unfit > 0) say(to_text(unfit) + " points of the loss curve, out of order or not finite");
  }

  void load_frames(SafetensorsFile const& file, Index last, Image const& like, auto const& say) {
    std::size_t unfit = 0;
    for (auto const& entry : file.entries()) {
      if (!entry.name.starts_with("frame/")) continue;
      Index step = 0;
      if (!from_text(entry.name.substr(6), step) || step < 0 || entry.dtype != DType::u8 ||
          entry.shape != extents(like)) {
        ++unfit;
      } else if (step <= last) {
        frames.push_back({step, like});
        frames.back().image.pixels = copy_as<std::uint8_t>(entry);
      }
    }
    std::sort(frames.begin(), frames.end(), [](Frame const& a, Frame const& b) { return a.step < b.step; });
    if (unfit > 0) say(to_text(unfit) + " frames of another name, type or shape");
  }

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

}  // namespace run
