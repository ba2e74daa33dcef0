// SPDX-License-Identifier: MIT
// Damages files of every kind and reads them. attack.hpp says how it is called.
#include <functional>
#include <string>
#include <vector>

#include "attack.hpp"
#include "formats.hpp"

using namespace consistency;
using namespace consistency::attack;

namespace {

using Path = std::filesystem::path;

/// A kind of file: a whole one, all that reading one gives, and what that must be where a file is accepted.
struct Format {
  std::string name, whole;
  std::function<std::string(Path const&)> content;
  std::function<std::string(std::string const&)> expected;
};

/// A file with checksums is read as the whole one, whatever was done to it.
Format checked(Path const& path, std::string name, std::string whole,
               std::function<std::string(Path const&)> const& content) {
  spill(path, whole);
  auto const expected = content(path);
  return {std::move(name), std::move(whole), content, [=](std::string const&) { return expected; }};
}

std::string pixels_of(ImageSet const& set) {
  if (set.pixels.size() != static_cast<std::size_t>(set.count * set.image_size())) return "another size";
  return text_of(std::as_bytes(std::span{set.pixels}));
}

/// Planes of records, interleaved as pixels are.
std::string cifar10_pixels(std::string const& file) {
  std::string pixels;
  for (std::size_t at = 0; at < file.size(); at += 3073)
    for (std::size_t p = 0; p < 1024; ++p)
      for (std::size_t channel = 0; channel < 3; ++channel) pixels += file[at + 1 + 1024 * channel + p];
  return pixels;
}

std::vector<Format> kinds(Attack& attack, ParameterTable const& table) {
  std::string noise(2 * 3073, '\0');
  for (auto& byte : noise) byte = static_cast<char>(attack.draw(256));
  auto trainer = small_trainer();
  trainer.step(small_batch(0));
  auto const path = attack / "whole";
  save_checkpoint(path, trainer.state(), {{"name", "value"}});
  auto const checkpoint = slurp(path);
  save_parameters(path, trainer.averaged(), "averaged", 1, {});
  auto const parameters = slurp(path);
  auto cifar10 = noise;
  cifar10[0] = cifar10[3073] = 7;
  auto const images = idx({3, 28, 28}, std::string_view{noise}.substr(0, 3 * 784));
  auto const frame = picture(20, 30, 3, noise);
  auto const idx_pixels = [](Path const& file) { return pixels_of(read_idx_images(file)); };
  auto const shown = [](Path const& file) { return png_pixels(slurp(file)); };
  auto const state = [&table](Path const& file) {
    auto const read = load_checkpoint(file, table);
    return digest_of(read.state) + read.settings.at("name");
  };
  auto const averaged = [&table](Path const& file) {
    return text_of(std::as_bytes(load_parameters(file, table, "averaged").flat().values()));
  };
  return {
      checked(path, "checkpoint", checkpoint, state),
      checked(path, "parameters", parameters, averaged),
      {"IDX", images, idx_pixels, [](std::string const& file) { return file.substr(16); }},
      checked(path, "IDX, packed", gzipped(images), idx_pixels),
      {"CIFAR-10", cifar10, [](Path const& file) { return pixels_of(read_cifar10({file})); }, cifar10_pixels},
      checked(path, "PNG", text_of(encode_png(frame)), shown),
      checked(path, "APNG", text_of(encode_apng(std::vector{frame, picture(20, 30, 3, "x")}, 50, 50)),
              shown)};
}

std::string damaged(Attack& attack, std::string file, std::string const& other) {
  auto const size = file.size();
  // Headers are short; every second time the damage is there.
  auto const at = attack.draw(attack.draw(2) == 0 ? size : std::min(size, std::size_t{512}));
  auto const length = std::min(1 + attack.draw(64), size - at);
  switch (attack.draw(7)) {
    case 0:
      for (auto flips = 1 + attack.draw(4); flips > 0; --flips)
        file[attack.draw(size)] ^= static_cast<char>(1U << attack.draw(8));
      break;
    case 1:
      file[at] ^= static_cast<char>(1U << attack.draw(8));
      break;
    case 2:
      file.resize(at);
      break;
    case 3:
      file.insert(at, length, static_cast<char>(attack.draw(256)));
      break;
    case 4:
      file.erase(at, length);
      break;
    case 5:
      file.append(1 + attack.draw(4096), static_cast<char>(attack.draw(256)));
      break;
    default:
      file.replace(at, length, other.substr(attack.draw(other.size()), length));
      break;
  }
  return file;
}

double peak_mebibytes() {
  auto status = std::ifstream{"/proc/self/status"};
  std::string word;
  double kibibytes = 0;
  while (status >> word && word != "VmHWM:") {
  }
  status >> kibibytes;
  return kibibytes / 1024;
}

/// Lets the peak of memory begin anew.
void forget_peak() { spill("/proc/self/clear_refs", "5"); }

/// A file that unpacks to a thousand times its size.
std::string bomb() { return gzipped(idx({1, 1, 1}, std::string(std::size_t{96} << 20U, '\0'))); }

}  // namespace

int main(int argc, char** argv) {
  set_threads(1);
  auto attack = Attack{argc, argv};
  auto const trainer = small_trainer();
  auto const all = kinds(attack, trainer.theta().table());
  auto const path = attack / "damaged";

  auto const read = [&](Format const& kind, std::string const& file, std::string const& what) {
    spill(path, file);
    forget_peak();
    auto const before = peak_mebibytes();
    std::string content;
    auto const result = outcome([&] { content = kind.content(path); });
    auto const more = peak_mebibytes() - before;
    auto held = attack.trial(
        "a damaged file is rejected with a typed error, or read as it was",
        result.kind == Outcome::typed || (result.kind == Outcome::done && content == kind.expected(file)),
        what + ": " + (result.text.empty() ? "accepted with other content" : result.text));
    held = attack.trial("reading takes no more memory than the file and 32 MiB",
                        more <= 32 + static_cast<double>(file.size()) / (1 << 20),
                        what + ": " + number_text(more) + " MiB") &&
           held;
    if (!held) attack.keep(path, "damaged_" + kind.name + "_" + number_text(attack.random()));
  };

  for (auto const& kind : all) {
    spill(path, kind.whole);
    attack.trial("a whole file is read", kind.content(path) == kind.expected(kind.whole), kind.name);
  }
  read(all[3], bomb(), "a bomb of 96 MiB, packed");
  while (attack.goes_on()) {
    auto const& kind = all[attack.draw(all.size())];
    read(kind, damaged(attack, kind.whole, all[attack.draw(all.size())].whole), kind.name);
  }
  return attack.finish();
}
