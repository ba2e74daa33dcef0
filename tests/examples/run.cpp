// SPDX-License-Identifier: MIT
// What examples/programs/run does with the files of a run.

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include "../../examples/programs/run/chart.hpp"
#include "../../examples/programs/run/folder.hpp"
#include "../../examples/programs/run/history.hpp"
#include "../../examples/programs/support/data_set.hpp"
#include "../support/fails.hpp"
#include "../support/temp_folder.hpp"

using namespace consistency::test;
using run::Folder, run::History, run::LossChart, run::Recipe;
using Gaps = run::GapTraining<consistency::Mlp, consistency::Tensor<float>>;
using namespace consistency;

namespace {

Recipe points(Index steps = 100) {
  Recipe recipe{.data = "checkerboard",
                .images = "",
                .height = 0,
                .width = 0,
                .colours = 0,
                .batch = 512,
                .steps = steps};
  recipe.mlp_width = 8, recipe.mlp_layers = 1, recipe.mlp_embedding = 4;
  return recipe;
}

TrainingState<Tensor<float>> state_at(Index step) {
  auto const theta = Parameters<Tensor<float>>::initialized(run::build<Mlp>(points()).parameters(), Key{1});
  return {theta, {}, theta, {}, {{"first_moment", theta}, {"second_moment", theta}}, step, Key{1}, ""};
}

void save_at(std::filesystem::path const& path, Index step) {
  save_checkpoint(path, state_at(step), run::to_metadata(points()));
}

void damage(std::filesystem::path const& path) {
  auto bytes = read_file(path);
  bytes.back() ^= std::byte{1};
  write_file_atomically(path, bytes);
}

Image const frame{.height = 2, .width = 2, .channels = 3, .pixels = std::vector<std::uint8_t>(12, 7)};

/// What is loaded of a history with these entries, and what is said of the rest.
struct Loaded {
  History history{100};
  std::string said;

  Loaded(std::vector<TensorEntry> const& entries, std::string const& seconds, Index last = 100) {
    TempFolder const folder;
    write_safetensors(folder / "history", entries, {{"seconds", seconds}});
    history = History::load(folder / "history", points(), last, frame,
                            [&](std::string const& dropped) { said += dropped + "\n"; });
  }
  bool says(char const* words) const { return said.find(words) != std::string::npos; }
};

}  // namespace

TEST_CASE(
    "a new run is rejected wherever an unfinished one is found, under whatever name its checkpoint has") {
  for (auto const* const name : {"checkpoint", "checkpoint.previous", "checkpoint.next"}) {
    TempFolder const out;
    save_at(out / (std::string{name} + ".safetensors"), 50);
    auto const folder = Folder{out.path()};
    check_fails<ErrorCode::config>([&] { folder.check_free(false); },
                                   {"unfinished run", "step 50 of 100", "--resume", "--overwrite"});
    folder.check_free(true);
    CHECK(out.files() == 1);
    CHECK(folder.newest().step() == 50);
  }
}

TEST_CASE("a new run is rejected where nothing but damaged checkpoints are found") {
  for (auto const* const name :
       {"checkpoint", "checkpoint.previous", "checkpoint.next", "checkpoint.damaged"}) {
    TempFolder const out;
    save_at(out / (std::string{name} + ".safetensors"), 50);
    damage(out / (std::string{name} + ".safetensors"));
    auto const folder = Folder{out.path()};
    check_fails<ErrorCode::config>([&] { folder.check_free(false); }, {"in this folder", "--overwrite"});
    CHECK(out.files() == 1);
  }
}

TEST_CASE(
    "a new run may begin in an empty folder and in that of a finished run, which stays for the time being") {
  TempFolder const out;
  auto const folder = Folder{out.path()};
  folder.check_free(false);
  save_at(folder.checkpoint(), 99);
  save_at(folder.checkpoint(), 100);
  folder.check_free(false);
  CHECK(out.files() == 2);
}

TEST_CASE("when the first checkpoint of a new run is on disk the run before goes, and no sooner") {
  TempFolder const out;
  auto const folder = Folder{out.path()};
  save_at(folder.checkpoint(), 100);
  save_at(folder.damaged(), 50);
  History{100}.save(folder.history(), points());
  save_at(folder.checkpoint(), 3);
  CHECK(out.files() == 4);
  folder.forget_run_before();
  CHECK(out.files() == 1);
  CHECK(folder.newest().step() == 3);
}

TEST_CASE("a damaged checkpoint is set aside and the whole one before taken") {
  TempFolder const out;
  auto const folder = Folder{out.path()};
  save_at(folder.checkpoint(), 1);
  save_at(folder.checkpoint(), 2);
  damage(folder.checkpoint());
  CHECK(folder.newest().step() == 1);
  CHECK(std::filesystem::exists(folder.damaged()));
  CHECK_FALSE(std::filesystem::exists(folder.checkpoint()));
}

TEST_CASE("where a damaged checkpoint cannot be set aside the whole one before is taken all the same") {
  TempFolder const out;
  auto const folder = Folder{out.path()};
  save_at(folder.checkpoint(), 1);
  save_at(folder.checkpoint(), 2);
  damage(folder.checkpoint());
  std::filesystem::create_directory(folder.damaged());  // a folder is never replaced by a file
  CHECK(folder.newest().step() == 1);
  CHECK(std::filesystem::exists(folder.checkpoint()));
}

TEST_CASE("text of a file that would steer a terminal is no setting") {
  auto settings = run::to_metadata(points());
  settings["images"] =
      "Gr\xc3\xb6\xc3\x9f"
      "e.gz";
  CHECK(run::to_recipe(settings, "c").images == settings["images"]);
  settings["images"] = "\x1b[2J.gz";
  check_fails<ErrorCode::format>([&] { run::to_recipe(settings, "c"); }, {"setting 'images'", "\\x1b[2J.gz"});
}

TEST_CASE("shares of the steps that no number of steps can be are rejected by name") {
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN(),
                 inf = std::numeric_limits<double>::infinity();
  for (auto const share : {-1.0, 1e300, nan, inf, -inf}) {
    auto denoising = points(), stage = points(), decay = points();
    denoising.denoising = stage.stage = decay.decay_from = share;
    check_fails<ErrorCode::config>([&] { run::build_times(denoising); },
                                   {"setting 'denoising'", "100 steps"});
    check_fails<ErrorCode::config>([&] { run::build_times(stage); }, {"setting 'stage'", "100 steps"});
    check_fails<ErrorCode::config>([&] { run::build_rate(decay); }, {"setting 'decay_from'", "100 steps"});
  }
  auto none = points(-100);
  check_fails<ErrorCode::config>([&] { run::build_times(none); }, {"-100 steps"});
  auto whole = points();
  whole.denoising = 1, whole.stage = 0, whole.decay_from = 2;
  CHECK(run::build_times(whole).denoising == 100);
  CHECK(run::build_times(whole).stage_steps == 1);
  CHECK(run::build_rate(whole).decay_to == 0);
}

TEST_CASE("a folder that cannot be made is an error of the system that names it") {
  TempFolder const out;
  write_file_atomically(out / "file", text_bytes("x"));
  check_fails<ErrorCode::io>([&] { Folder{out / "file" / "run"}; }, {"file/run", "Not a directory"});
  check_fails<ErrorCode::io>([&] { Folder{out / "file"}; }, {"Not a directory", "--out"});
  check_fails<ErrorCode::io>([&] { Folder{out / std::string(300, 'n')}; }, {"File name too long"});
}

TEST_CASE("a history comes back as it was saved, up to the step of the checkpoint") {
  TempFolder const out;
  auto history = History{100};
  for (Index step = 1; step <= 10; ++step) history.add(step, 1.0 / static_cast<double>(step));
  history.seconds = 12.5;
  history.frames = {{0, frame}, {4, frame}, {9, frame}};
  history.save(out / "history", points());
  std::string said;
  auto const load = [&](Recipe const& recipe, Index last) {
    return History::load(out / "history", recipe, last, frame,
                         [&](std::string const& text) { said += text; });
  };
  auto const all = load(points(), 100), some = load(points(), 4);
  CHECK(all.steps == history.steps);
  CHECK(all.losses == history.losses);
  CHECK(all.frames.size() == 3);
  CHECK(all.frames[2].image.pixels == frame.pixels);
  CHECK(all.seconds == 12.5);
  CHECK(some.steps == std::vector<std::int64_t>{1, 2, 3, 4});
  CHECK(some.frames.size() == 2);
  CHECK(said.empty());
  auto other = points();
  other.seed = 7;
  CHECK(load(other, 100).losses.empty());
  CHECK(said.find("left out: the history of another run") != std::string::npos);
}

TEST_CASE("parts of a history that do not fit are left out with a word, and the others stay") {
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN(),
                 inf = std::numeric_limits<double>::infinity();
  std::vector<std::int64_t> const steps = {1, 2, 3, 3, 1, 5, 200}, few = {1};
  std::vector<double> const losses = {1, nan, inf, 4, 5, 6, 7};
  std::vector<std::uint8_t> const pixels(12, 7);
  auto const step = tensor_entry("loss/step", {7}, steps), loss = tensor_entry("loss/mean", {7}, losses);
  auto const good = tensor_entry("frame/3", {2, 2, 3}, pixels);

  auto const curve = Loaded{{step, loss, good}, "3"};
  CHECK(curve.history.steps == std::vector<std::int64_t>{1, 3, 5});
  CHECK(curve.history.losses == std::vector<double>{1, 4, 6});
  CHECK(curve.says("3 points of the loss curve"));
  CHECK(curve.history.frames.size() == 1);

  for (auto const& [a, b] : {std::pair{step, tensor_entry("loss/mean", {1}, std::span{losses}.first(1))},
                             std::pair{tensor_entry("loss/step", {1}, few), loss},
                             std::pair{step, tensor_entry("loss/mean", {7}, steps)}}) {
    auto const unequal = Loaded{{a, b, good}, "3"};
    CHECK(unequal.history.losses.empty());
    CHECK(unequal.says("do not belong together"));
    CHECK(unequal.history.frames.size() == 1);
  }

  auto const huge = TensorEntry{"frame/4", DType::u8, {0, std::uint64_t{1} << 63U, 1}, {}};
  auto const floats = TensorEntry{"frame/5", DType::f32, {1, 1, 3}, std::as_bytes(std::span{pixels})};
  auto const frames =
      Loaded{{good, huge, floats, tensor_entry("frame/6", {3, 2, 2}, pixels),
              tensor_entry("frame/x", {2, 2, 3}, pixels), tensor_entry("frame/-1", {2, 2, 3}, pixels)},
             "3"};
  REQUIRE(frames.history.frames.size() == 1);
  CHECK(frames.history.frames[0].step == 3);
  CHECK(frames.says("5 frames of another name, type or shape"));

  for (auto const* const seconds : {"1e308", "nan", "inf", "-1", "x", ""}) {
    auto const timed = Loaded{{good}, seconds};
    CHECK(timed.history.seconds == 0);
    CHECK(timed.says("the time '"));
  }
}

TEST_CASE("a loss curve is drawn for losses of any size, and has marks at its axis") {
  constexpr auto nan = std::numeric_limits<double>::quiet_NaN(),
                 inf = std::numeric_limits<double>::infinity();
  for (auto const& losses :
       {std::vector<double>{1, 2}, std::vector<double>{1, inf, nan}, std::vector<double>{},
        std::vector<double>{5e-324, 1.7e308}, std::vector<double>{1e-20, 1e20}, std::vector<double>{0.5},
        std::vector<double>{-1, 0}}) {
    auto history = History{100};
    for (auto const loss : losses) {
      history.losses.push_back(loss);
      history.steps.push_back(static_cast<Index>(history.losses.size()));
    }
    auto const recipe = points();
    auto const svg = LossChart{history, Gaps::stages(recipe), recipe.steps}.svg();
    CHECK(svg.size() < 20'000);
    CHECK(svg.find("class=\"grid\"") != std::string::npos);
    for (auto const* const word : {"inf", "nan"}) CHECK(svg.find(word) == std::string::npos);
  }
}

TEST_CASE("the steps at which a stage begins are those whose stage is not that of the step before") {
  for (Index const steps : {1, 2, 7, 100, 1001}) {
    auto const recipe = points(steps);
    auto const times = run::build_times(recipe);
    std::vector<Index> starts = {0}, found;
    for (Index k = 1; k < steps; ++k)
      if (times.stage(k) != times.stage(k - 1)) starts.push_back(k);
    for (auto const& stage : Gaps::stages(recipe)) found.push_back(stage.begin);
    CHECK(found == starts);
  }
  CHECK(Gaps::stages(points(Index{1} << 50U)).size() == 5);
}

TEST_CASE("labels and test images are looked for beside the images, whatever their folders are called") {
  CHECK(example::labels_of("/images/train/train-images-idx3-ubyte.gz") ==
        "/images/train/train-labels-idx1-ubyte.gz");
  CHECK(example::test_images_of("/images/train/train-images-idx3-ubyte.gz") ==
        "/images/train/t10k-images-idx3-ubyte.gz");
  CHECK(example::labels_of("/images/digits") == "/images/digits");
  CHECK(example::test_images_of("training/digits") == "training/digits");
}
