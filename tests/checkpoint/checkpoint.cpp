// SPDX-License-Identifier: MIT
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <consistency/checkpoint/checkpoint.hpp>
#include <consistency/consistency.hpp>
#include <consistency/data/checkerboard.hpp>

#include "../io/support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

using Arena = Parameters<Tensor<float>>;
using State = TrainingState<Tensor<float>>;

Mlp small_network(Index width = 8) { return Mlp{{.width = width, .layers = 2, .embedding = 4}}; }

/// Arenas of numbers that are all different.
State some_state(ParameterTable const& table) {
  auto const arena = [&](std::uint64_t seed) { return Arena::initialized(table, Key{seed}); };
  return {arena(1),
          arena(2),
          arena(3),
          {},
          {{"first_moment", arena(4)}, {"second_moment", arena(5)}},
          1234567,
          {0xfedcba9876543210U, 77},
          ""};
}

bool same(Arena const& a, Arena const& b) {
  auto const bytes = static_cast<std::size_t>(a.flat().count()) * sizeof(float);
  return a.flat().count() == b.flat().count() && std::memcmp(a.flat().data(), b.flat().data(), bytes) == 0;
}

bool same(State const& a, State const& b) {
  return same(a.theta, b.theta) && a.target.has_value() == b.target.has_value() &&
         (!a.target || same(*a.target, *b.target)) && same(a.averaged, b.averaged) &&
         same(a.at("first_moment"), b.at("first_moment")) &&
         same(a.at("second_moment"), b.at("second_moment")) && a.step == b.step && a.key == b.key;
}

auto small_trainer(std::uint64_t seed) {
  auto const f = ConsistencyFunction{small_network()};
  return Trainer{ConsistencyTraining{.f = f,
                                     .metric = PseudoHuber{},
                                     .times = GapTimes{.denoising = 4, .stage_steps = 4},
                                     .weighting = InverseGapWeighting{},
                                     .target = EmaTarget{}},
                 RAdam{}, f.initialize(Key{seed}), TrainerSettings{.ema = 0.9, .clip = 1, .key = {seed}}};
}

/// Files larger than this cannot be written while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(::rlim_t bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    auto limited = before_;
    limited.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  FileSizeLimit(FileSizeLimit const&) = delete;
  FileSizeLimit& operator=(FileSizeLimit const&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  struct ::rlimit before_ {};
  void (*handler_)(int);
};

/// Flips one bit of the last tensor.
void damage(std::filesystem::path const& path) {
  auto bytes = read_file(path);
  bytes.back() ^= std::byte{1};
  write_file_atomically(path, bytes);
}

/// The file at `path` with its metadata and tensors changed by `edit`, under another name and with a new
/// digest.
template <class Edit>
void rewrite(std::filesystem::path const& from, std::filesystem::path const& to, Edit const& edit,
             bool with_digest = true) {
  auto const file = read_safetensors(from);
  auto metadata = file.metadata();
  metadata.erase("digest");
  metadata.erase("digest_type");
  std::vector<TensorEntry> entries{file.entries().begin(), file.entries().end()};
  edit(entries, metadata);
  write_safetensors(to, entries, metadata, with_digest);
}

}  // namespace

TEST_CASE("a checkpoint gives back every field of the state and the settings to the last bit") {
  TempFolder const folder;
  auto const net = small_network();
  auto const state = some_state(net.parameters());
  Metadata const settings = {
      {"network", "mlp"}, {"step", "a setting of that name"}, {"Größe", "8"}, {"none", ""}};
  save_checkpoint(folder / "c.safetensors", state, settings);
  auto const loaded = load_checkpoint(folder / "c.safetensors", net.parameters());
  CHECK(same(loaded.state.theta, state.theta));
  REQUIRE(loaded.state.target);
  CHECK(same(*loaded.state.target, *state.target));
  CHECK(same(loaded.state.averaged, state.averaged));
  CHECK(same(loaded.state.at("first_moment"), state.at("first_moment")));
  CHECK(same(loaded.state.at("second_moment"), state.at("second_moment")));
  CHECK(loaded.state.step == 1234567);
  CHECK(loaded.state.key == Key{0xfedcba9876543210U, 77});
  CHECK(loaded.settings == settings);
  CHECK(folder.files() == 1);
}

TEST_CASE("a state without a target network is saved without one, and a method that needs one rejects it") {
  TempFolder const folder;
  auto const net = small_network();
  auto state = some_state(net.parameters());
  state.target.reset();
  save_checkpoint(folder / "c.safetensors", state, {});
  auto const loaded = load_checkpoint(folder / "c.safetensors", net.parameters());
  CHECK(same(loaded.state, state));
  auto trainer = small_trainer(5);
  check_fails<ErrorCode::config>([&] { trainer.resume(loaded.state); }, {"no target network"});
}

TEST_CASE("a run that is saved and taken up after every step ends as if it had not been interrupted") {
  TempFolder const folder;
  auto const batches = CheckerboardBatches{16, Key{5}};
  auto straight = small_trainer(5);
  for (Index k = 0; k < 10; ++k) straight.step(batches(k));
  for (Index k = 0; k < 10; ++k) {
    auto trainer = small_trainer(k == 0 ? 5U : 99U);
    if (k > 0) trainer.resume(load_checkpoint(folder / "c.safetensors", small_network().parameters()).state);
    trainer.step(batches(trainer.state().step));
    save_checkpoint(folder / "c.safetensors", trainer.state(), {});
  }
  CHECK(
      same(load_checkpoint(folder / "c.safetensors", small_network().parameters()).state, straight.state()));
}

TEST_CASE("the checkpoint before stays under a name of its own") {
  TempFolder const folder;
  auto const net = small_network();
  auto const path = folder / "c.safetensors";
  CHECK(previous_checkpoint(path) == folder / "c.previous.safetensors");
  auto state = some_state(net.parameters());
  for (state.step = 1; state.step <= 4; ++state.step) {
    save_checkpoint(path, state, {});
    CHECK(CheckpointFile{path}.step() == state.step);
    if (state.step > 1) CHECK(CheckpointFile{previous_checkpoint(path)}.step() == state.step - 1);
    CHECK(folder.files() == (state.step > 1 ? 2 : 1));
  }
}

TEST_CASE("a disk that is full leaves the last checkpoint and nothing else") {
  TempFolder const folder;
  auto const net = small_network();
  auto const path = folder / "c.safetensors";
  auto state = some_state(net.parameters());
  save_checkpoint(path, state, {});
  save_checkpoint(path, state, {});
  ++state.step;
  {
    FileSizeLimit const limit{4096};
    check_fails<ErrorCode::io>([&] { save_checkpoint(path, state, {}); },
                               {"c.safetensors: write failed after 4096 of", "checkpoint was kept"});
  }
  CHECK(CheckpointFile{path}.step() == state.step - 1);
  CHECK(CheckpointFile{previous_checkpoint(path)}.step() == state.step - 1);
  CHECK(folder.files() == 2);
  save_checkpoint(path, state, {});
  CHECK(same(load_checkpoint(path, net.parameters()).state, state));
}

TEST_CASE("a process killed at any moment loses no checkpoint it has acknowledged") {
  auto const net = small_network();
  auto state = some_state(net.parameters());
  for (auto trial = 0; trial < 40; ++trial) {
    TempFolder const folder;
    auto const path = folder / "c.safetensors";
    int acknowledge[2];
    REQUIRE(::pipe(acknowledge) == 0);
    auto const child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      for (state.step = 1;; ++state.step) {
        save_checkpoint(path, state, {});
        if (::write(acknowledge[1], &state.step, sizeof state.step) < 0) ::_exit(1);
      }
    }
    ::close(acknowledge[1]);
    Index last = 0;
    auto const receive = [&] { return ::read(acknowledge[0], &last, sizeof last) == sizeof last; };
    REQUIRE(receive());
    ::usleep(137U * static_cast<unsigned>(trial));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (receive()) {
    }
    ::close(acknowledge[0]);
    auto const loaded = load_checkpoint(path, net.parameters());
    CHECK(loaded.state.step >= last);
    CHECK(same(loaded.state.theta, state.theta));
  }
}

TEST_CASE("a damaged checkpoint never takes the place of a whole one before it") {
  TempFolder const folder;
  auto const net = small_network();
  auto const path = folder / "c.safetensors";
  auto state = some_state(net.parameters());
  for (state.step = 1; state.step <= 2; ++state.step) save_checkpoint(path, state, {});
  damage(path);
  CHECK(newest_checkpoint(path).file.step() == 1);
  CHECK(newest_checkpoint(path).path == previous_checkpoint(path));
  REQUIRE(newest_checkpoint(path).passed.size() == 1);
  CHECK(newest_checkpoint(path).passed[0].path == path);
  CHECK(newest_checkpoint(path).passed[0].code == ErrorCode::integrity);
  state.step = 3;
  save_checkpoint(path, state, {});
  CHECK(CheckpointFile{path}.step() == 3);
  CHECK(CheckpointFile{previous_checkpoint(path)}.step() == 1);
  CHECK(newest_checkpoint(path).passed.empty());
  CHECK(folder.files() == 2);
}

TEST_CASE("the newest whole checkpoint is found under every name that a killed save leaves it") {
  auto const net = small_network();
  auto state = some_state(net.parameters());
  // For each name: 0 not there, 1 damaged, 2 whole.
  for (auto trial = 0; trial < 27; ++trial) {
    TempFolder const folder;
    auto const path = folder / "c.safetensors";
    auto const names = checkpoint_names(path);
    CHECK(names[2] == folder / "c.next.safetensors");
    auto wanted = Index{-1};
    for (auto i = 3, rest = trial; i-- > 0; rest /= 3) {
      if (rest % 3 == 0) continue;
      state.step = 10 + i;
      save_parameters(names[static_cast<std::size_t>(i)], state.theta, "theta", state.step, {});
      if (rest % 3 == 1) damage(names[static_cast<std::size_t>(i)]);
      if (rest % 3 == 2) wanted = state.step;
    }
    CAPTURE(trial);
    if (wanted >= 0) {
      auto const found = newest_checkpoint(path);
      CHECK(found.file.step() == wanted);
      CHECK(found.path == names[static_cast<std::size_t>(wanted - 10)]);
      state.step = 99;
      save_checkpoint(path, state, {});
      CHECK(CheckpointFile{path}.step() == 99);
      // A whole one whose name was still to be given is given it, and so comes before others.
      CHECK(CheckpointFile{names[1]}.step() == (wanted == 11 && trial % 3 == 2 ? 12 : wanted));
      CHECK(folder.files() == 2);
    } else if (trial == 0) {
      check_fails<ErrorCode::io>([&] { newest_checkpoint(path); }, {"c.safetensors: open failed"});
    } else {
      check_fails<ErrorCode::integrity>([&] { newest_checkpoint(path); }, {"tensor 'theta/"});
    }
    remove_checkpoints(path);
    CHECK(folder.files() == 0);
    remove_checkpoints(path);
  }
}

TEST_CASE("a save takes away what a killed save has left") {
  TempFolder const folder;
  auto const path = folder / "c.safetensors";
  auto const state = some_state(small_network().parameters());
  save_checkpoint(path, state, {});
  for (auto const* const name : {"c.previous.safetensors.link", ".writing-c.next.safetensors-0",
                                 ".writing-c.next.safetensors-1", "c.next.safetensors"})
    write_file_atomically(folder / name, text_bytes("half"));
  save_checkpoint(path, state, {});
  CHECK(folder.files() == 2);
}

TEST_CASE("a checkpoint that is saved again keeps its mode, and so does the one before") {
  TempFolder const folder;
  auto const path = folder / "c.safetensors";
  auto const state = some_state(small_network().parameters());
  auto const mode = [&](std::filesystem::path const& file) {
    return std::filesystem::status(file).permissions();
  };
  constexpr auto mine = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
  save_checkpoint(path, state, {});
  std::filesystem::permissions(path, mine);
  save_checkpoint(path, state, {});
  CHECK(mode(path) == mine);
  CHECK(mode(previous_checkpoint(path)) == mine);
}

TEST_CASE("names of checkpoints are put beside the file's own, whatever dots are in its path") {
  CHECK(previous_checkpoint("c.safetensors") == "c.previous.safetensors");
  CHECK(previous_checkpoint("a.b/c") == "a.b/c.previous");
  CHECK(previous_checkpoint("a.b/.c") == "a.b/.c.previous");
  CHECK(previous_checkpoint("/c.1.2") == "/c.1.previous.2");
}

TEST_CASE("a number that is not finite is found in a file when it is loaded, with tensor and place") {
  TempFolder const folder;
  auto const net = small_network();
  auto const path = folder / "c.safetensors", other = folder / "d.safetensors";
  save_checkpoint(path, some_state(net.parameters()), {});
  for (auto const bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                         -std::numeric_limits<float>::infinity()}) {
    std::vector<float> values(8, 1);
    values[5] = bad;
    rewrite(path, other, [&](auto& entries, auto&) {
      for (auto& entry : entries)
        if (entry.name == "averaged/hidden0.bias") entry = tensor_entry(entry.name, {8}, values);
    });
    auto const words = {std::string_view{"d.safetensors"}, std::string_view{"'averaged/hidden0.bias'"},
                        std::string_view{"at value 5"}};
    check_fails<ErrorCode::numeric>([&] { load_checkpoint(other, net.parameters()); }, words);
    check_fails<ErrorCode::numeric>([&] { load_parameters(other, net.parameters(), "averaged"); }, words);
    CHECK(load_parameters(other, net.parameters(), "theta").flat().count() > 0);
  }
}

TEST_CASE("a folder that does not exist is an error of its own") {
  auto const net = small_network();
  check_fails<ErrorCode::io>(
      [&] { save_checkpoint("/nonexistent/folder/c.safetensors", some_state(net.parameters()), {}); },
      {"/nonexistent/folder"});
  check_fails<ErrorCode::io>([&] { CheckpointFile{"/nonexistent/c.safetensors"}; }, {"open"});
}

TEST_CASE("any flipped bit is noticed") {
  TempFolder const folder;
  auto const net = small_network();
  auto const path = folder / "c.safetensors";
  save_checkpoint(path, some_state(net.parameters()), {{"a", "b"}});
  auto const whole = read_file(path);
  auto rejected = 0;
  auto trials = 0;
  for (std::size_t at = 8; at < whole.size(); at += 29, ++trials) {
    auto damaged = whole;
    damaged[at] ^= static_cast<std::byte>(1U << (at % 8));
    write_file_atomically(path, damaged);
    try {
      load_checkpoint(path, net.parameters());
    } catch (error const& failure) {
      rejected += failure.code() == ErrorCode::integrity || failure.code() == ErrorCode::format ? 1 : 0;
    }
  }
  CHECK(trials > 200);
  CHECK(rejected == trials);
  auto damaged = whole;
  damaged.back() ^= std::byte{1};
  write_file_atomically(path, damaged);
  check_fails<ErrorCode::integrity>([&] { load_checkpoint(path, net.parameters()); }, {"digest", "stored"});
}

TEST_CASE("a checkpoint of another network lists every difference") {
  TempFolder const folder;
  auto const path = folder / "c.safetensors";
  save_checkpoint(path, some_state(small_network().parameters()), {});
  auto const wider = small_network(16);
  check_fails<ErrorCode::mismatch>(
      [&] { load_checkpoint(path, wider.parameters()); },
      {"theta/hidden0.weight has shape", "target/hidden0.weight", "differences", "own settings"});
  auto const deeper = Mlp{{.width = 8, .layers = 3, .embedding = 4}};
  check_fails<ErrorCode::mismatch>(
      [&] { load_checkpoint(path, deeper.parameters()); },
      {"theta/hidden2.weight is missing", "second_moment/hidden2.bias is missing"});
  auto const shallower = Mlp{{.width = 8, .layers = 1, .embedding = 4}};
  check_fails<ErrorCode::mismatch>([&] { load_checkpoint(path, shallower.parameters()); },
                                   {"averaged/hidden1.weight is unexpected"});
}

TEST_CASE("a mismatch shows the first twenty differences and counts the rest") {
  TempFolder const folder;
  auto const path = folder / "c.safetensors";
  save_checkpoint(path, some_state(small_network().parameters()), {});
  auto const deeper = Mlp{{.width = 8, .layers = 6, .embedding = 4}};
  check_fails<ErrorCode::mismatch>([&] { load_checkpoint(path, deeper.parameters()); },
                                   {"40 differences", "and 20 more"});
}

TEST_CASE("tensors of another type, strangers and absent ones are named together") {
  TempFolder const folder;
  auto const net = small_network();
  save_checkpoint(folder / "c.safetensors", some_state(net.parameters()), {});
  std::vector<double> const wide(8);
  std::vector<float> const stranger{1};
  rewrite(folder / "c.safetensors", folder / "d.safetensors", [&](auto& entries, auto&) {
    for (auto& entry : entries)
      if (entry.name == "averaged/hidden0.bias") entry = tensor_entry(entry.name, entry.shape, wide);
    std::erase_if(entries, [](auto const& entry) { return entry.name == "first_moment/out.bias"; });
    entries.push_back(tensor_entry("teacher/out.bias", {1}, stranger));
  });
  check_fails<ErrorCode::mismatch>([&] { load_checkpoint(folder / "d.safetensors", net.parameters()); },
                                   {"3 differences", "averaged/hidden0.bias has type F64, not F32",
                                    "first_moment/out.bias is missing", "teacher/out.bias is unexpected"});
}

TEST_CASE("a later format, other files and files without a digest are rejected by name") {
  TempFolder const folder;
  auto const net = small_network();
  auto const path = folder / "c.safetensors", other = folder / "d.safetensors";
  save_checkpoint(path, some_state(net.parameters()), {});
  rewrite(path, other, [](auto&, auto& metadata) {
    metadata["format_version"] = "2";
    metadata["library_version"] = "9.9.9";
  });
  check_fails<ErrorCode::format>([&] { CheckpointFile{other}; }, {"format version", "found 2", "9.9.9"});
  rewrite(path, other, [](auto&, auto& metadata) { metadata.erase("format"); });
  check_fails<ErrorCode::format>([&] { CheckpointFile{other}; }, {"not a checkpoint"});
  rewrite(path, other, [](auto&, auto& metadata) { metadata["step"] = "-3"; });
  check_fails<ErrorCode::format>([&] { CheckpointFile{other}; }, {"'step'", "'-3'"});
  rewrite(path, other, [](auto&, auto& metadata) { metadata.erase("seed"); });
  check_fails<ErrorCode::format>([&] { CheckpointFile{other}; }, {"no key 'seed'"});
  rewrite(
      path, other, [](auto&, auto&) {}, false);
  check_fails<ErrorCode::integrity>([&] { CheckpointFile{other}; }, {"digest", "none"});
}

TEST_CASE("numbers that are not finite are not saved") {
  TempFolder const folder;
  auto const net = small_network();
  auto const path = folder / "c.safetensors";
  auto state = some_state(net.parameters());
  save_checkpoint(path, state, {});
  state.at("second_moment").flat().mutable_data()[3] = std::numeric_limits<float>::infinity();
  check_fails<ErrorCode::numeric>([&] { save_checkpoint(path, state, {}); },
                                  {"save_checkpoint: tensor 'second_moment/hidden0.weight'", "value 3"});
  CHECK(CheckpointFile{path}.step() == state.step);
  check_fails<ErrorCode::numeric>(
      [&] { save_parameters(path, state.at("second_moment"), "second_moment", 1, {}); },
      {"save_parameters: tensor 'second_moment/hidden0.weight'", "value 3"});
  CHECK(CheckpointFile{path}.step() == state.step);
}

TEST_CASE("the parameters of one role are read from a checkpoint or from a file of their own") {
  TempFolder const folder;
  auto const net = small_network();
  auto const state = some_state(net.parameters());
  save_checkpoint(folder / "c.safetensors", state, {{"a", "b"}});
  save_parameters(folder / "m.safetensors", state.averaged, "averaged", state.step, {{"a", "b"}});
  CHECK(same(load_parameters(folder / "c.safetensors", net.parameters(), "averaged"), state.averaged));
  CHECK(same(load_parameters(folder / "c.safetensors", net.parameters(), "theta"), state.theta));
  CHECK(same(load_parameters(folder / "m.safetensors", net.parameters(), "averaged"), state.averaged));
  CHECK(CheckpointFile{folder / "m.safetensors"}.settings() == Metadata{{"a", "b"}});
  check_fails<ErrorCode::mismatch>(
      [&] { load_parameters(folder / "m.safetensors", net.parameters(), "theta"); },
      {"theta/hidden0.weight is missing"});
  check_fails<ErrorCode::mismatch>([&] { load_checkpoint(folder / "m.safetensors", net.parameters()); },
                                   {"18 differences", "theta/hidden0.weight is missing"});
}
