// SPDX-License-Identifier: MIT
// c.h as a program in another language meets it: every call is of C, and whatever is wrong is a status.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/c.h>

#include "../support/child.hpp"
#include "../support/temp_folder.hpp"

using namespace consistency::test;

namespace {

std::string const shipped =
    (std::filesystem::path{__FILE__}.parent_path() / "../../examples/models/fashion_mnist.safetensors")
        .string();

bool said(std::string_view words) {
  return std::string_view{consistency_last_error()}.find(words) != std::string_view::npos;
}

struct Loaded {
  consistency_model model{};
  Loaded() { REQUIRE(consistency_model_load(shipped.c_str(), &model) == CONSISTENCY_OK); }
  Loaded(Loaded const&) = delete;
  Loaded& operator=(Loaded const&) = delete;
  ~Loaded() { consistency_model_free(model); }
};
struct Opened {
  consistency_session session{};
  explicit Opened(consistency_model model, std::int64_t batch = 1, std::vector<double> const& times = {}) {
    consistency_session_settings settings;
    consistency_session_settings_init(&settings);
    settings.batch = batch;
    settings.times = times.data();
    settings.time_count = times.size();
    REQUIRE(consistency_session_new(model, &settings, &session) == CONSISTENCY_OK);
  }
  Opened(Opened const&) = delete;
  Opened& operator=(Opened const&) = delete;
  ~Opened() { consistency_session_free(session); }
};

consistency_draw_settings of_seed(std::uint64_t seed, std::int64_t first = 0) {
  consistency_draw_settings settings;
  consistency_draw_settings_init(&settings);
  settings.seed = seed;
  settings.first = first;
  return settings;
}

}  // namespace

TEST_CASE("a model that is loaded says what it draws, and draws it") {
  Loaded const loaded;
  consistency_model_info info;
  REQUIRE(consistency_model_describe(loaded.model, &info) == CONSISTENCY_OK);
  CHECK(info.rank == 3);
  CHECK((info.shape[0] == 28 && info.shape[1] == 28 && info.shape[2] == 1));
  CHECK(info.sample_numbers == 784);
  CHECK(info.condition_numbers == 0);
  CHECK(info.denoiser == 0);
  CHECK(info.parameters > 1'000'000);

  Opened const two{loaded.model, 2}, one{loaded.model};
  std::vector<float> x(1568), second(784), other(784);
  auto settings = of_seed(7);
  REQUIRE(consistency_draw(two.session, &settings, x.data(), x.size()) == CONSISTENCY_OK);
  settings.first = 1;
  REQUIRE(consistency_draw(one.session, &settings, second.data(), second.size()) == CONSISTENCY_OK);
  CHECK(std::memcmp(x.data() + 784, second.data(), 784 * sizeof(float)) == 0);
  REQUIRE(consistency_draw(one.session, nullptr, other.data(), other.size()) == CONSISTENCY_OK);
  CHECK(other != second);

  std::vector<float> const noise(784, 0.5F);
  settings.noise = noise.data(), settings.noise_numbers = noise.size();
  REQUIRE(consistency_draw(one.session, &settings, second.data(), second.size()) == CONSISTENCY_OK);
  settings.seed = 8;
  REQUIRE(consistency_draw(one.session, &settings, other.data(), other.size()) == CONSISTENCY_OK);
  CHECK(other == second);
}

TEST_CASE("a session goes on when its model is freed") {
  consistency_model model{};
  REQUIRE(consistency_model_load(shipped.c_str(), &model) == CONSISTENCY_OK);
  Opened const opened{model};
  CHECK(consistency_model_free(model) == CONSISTENCY_OK);
  std::vector<float> x(784);
  CHECK(consistency_draw(opened.session, nullptr, x.data(), x.size()) == CONSISTENCY_OK);
}

TEST_CASE("an observer counts evaluations, and ends a draw") {
  Loaded const loaded;
  Opened const opened{loaded.model, 1, {10, 0.821}};
  struct Seen {
    std::int64_t last = 0, stop = 0;
    std::size_t numbers = 0;
  } seen{0, 2};
  auto settings = of_seed(1);
  settings.user = &seen;
  settings.observer = [](void* user, std::int64_t evaluations, float const*, std::size_t numbers) {
    auto& s = *static_cast<Seen*>(user);
    s.last = evaluations, s.numbers = numbers;
    return evaluations < s.stop ? 1 : 0;
  };
  std::vector<float> x(784);
  CHECK(consistency_draw(opened.session, &settings, x.data(), x.size()) == CONSISTENCY_OK);
  CHECK((seen.last == 2 && seen.numbers == 784));
  seen.stop = 9;
  CHECK(consistency_draw(opened.session, &settings, x.data(), x.size()) == CONSISTENCY_OK);
  CHECK(seen.last == 3);
}

TEST_CASE("two threads in one session, and an observer that frees its session, are errors") {
  Loaded const loaded;
  Opened const opened{loaded.model};
  struct Inside {
    consistency_session session;
    consistency_status drawn, freed;
  } inside{opened.session, CONSISTENCY_OK, CONSISTENCY_OK};
  auto settings = of_seed(1);
  settings.user = &inside;
  settings.observer = [](void* user, std::int64_t, float const*, std::size_t) {
    auto& i = *static_cast<Inside*>(user);
    std::thread{[&] {
      std::vector<float> x(784);
      i.drawn = consistency_draw(i.session, nullptr, x.data(), x.size());
    }}.join();
    i.freed = consistency_session_free(i.session);
    return 1;
  };
  std::vector<float> x(784);
  CHECK(consistency_draw(opened.session, &settings, x.data(), x.size()) == CONSISTENCY_OK);
  CHECK(inside.drawn == CONSISTENCY_CONFIG);
  CHECK(inside.freed == CONSISTENCY_CONFIG);
}

TEST_CASE("null pointers and handles that are none, freed or of another kind are statuses with a text") {
  Loaded const loaded;
  Opened const opened{loaded.model};
  std::vector<float> x(784);
  consistency_model model{};
  consistency_session session{};
  consistency_model_info info;
  std::uint8_t byte = 0;
  char text[4];
  CHECK(consistency_model_load(nullptr, &model) == CONSISTENCY_ARGUMENT);
  CHECK(consistency_model_load(shipped.c_str(), nullptr) == CONSISTENCY_ARGUMENT);
  CHECK(consistency_model_describe(loaded.model, nullptr) == CONSISTENCY_ARGUMENT);
  CHECK(consistency_session_new(loaded.model, nullptr, nullptr) == CONSISTENCY_ARGUMENT);
  CHECK(consistency_draw(opened.session, nullptr, nullptr, 784) == CONSISTENCY_ARGUMENT);
  CHECK(consistency_to_bytes(nullptr, 1, &byte) == CONSISTENCY_ARGUMENT);
  CHECK(consistency_to_bytes(x.data(), 1, nullptr) == CONSISTENCY_ARGUMENT);
  consistency_session_settings_init(nullptr);
  consistency_draw_settings_init(nullptr);
  consistency_draw_settings const unset{};
  CHECK(consistency_draw(opened.session, &unset, x.data(), x.size()) == CONSISTENCY_ARGUMENT);
  CHECK(said("struct_size"));
  auto settings = of_seed(0);
  settings.noise_numbers = 784;
  CHECK(consistency_draw(opened.session, &settings, x.data(), x.size()) == CONSISTENCY_ARGUMENT);

  for (auto const id : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0xdeadbeefdeadbeef},
                        opened.session.id, loaded.model.id + 1, std::numeric_limits<std::uint64_t>::max()}) {
    CHECK(consistency_model_describe({id}, &info) == CONSISTENCY_HANDLE);
    CHECK(consistency_model_label({id}, 0, text, 4) == CONSISTENCY_HANDLE);
    CHECK(consistency_model_free({id}) == CONSISTENCY_HANDLE);
    CHECK(consistency_session_new({id}, nullptr, &session) == CONSISTENCY_HANDLE);
    CHECK(session.id == 0);
  }
  CHECK(consistency_draw({loaded.model.id}, nullptr, x.data(), x.size()) == CONSISTENCY_HANDLE);
  CHECK(consistency_session_free({loaded.model.id}) == CONSISTENCY_HANDLE);
  CHECK(consistency_session_new(loaded.model, nullptr, &session) == CONSISTENCY_OK);
  CHECK(consistency_session_free(session) == CONSISTENCY_OK);
  CHECK(consistency_session_free(session) == CONSISTENCY_HANDLE);
  CHECK(consistency_draw(session, nullptr, x.data(), x.size()) == CONSISTENCY_HANDLE);
  CHECK(said("freed"));
  CHECK(std::string_view{consistency_status_name(CONSISTENCY_HANDLE)} == "CONSISTENCY_HANDLE");
  CHECK(std::string_view{consistency_status_name(static_cast<consistency_status>(77))} == "unknown");
}

TEST_CASE("memory of another size and settings that cannot be are statuses that name found and expected") {
  Loaded const loaded;
  Opened const opened{loaded.model, 2};
  std::vector<float> x(2352);
  auto settings = of_seed(0);
  for (std::size_t const numbers : {0, 1, 783, 785, 2352}) {
    CHECK(consistency_draw(opened.session, &settings, x.data(), numbers) == CONSISTENCY_SHAPE);
    CHECK(said("found " + std::to_string(numbers)));
  }
  settings.noise = x.data(), settings.noise_numbers = 783;
  CHECK(consistency_draw(opened.session, &settings, x.data(), 784) == CONSISTENCY_SHAPE);
  settings = of_seed(0);
  settings.condition = x.data(), settings.condition_numbers = 10;
  CHECK(consistency_draw(opened.session, &settings, x.data(), 784) == CONSISTENCY_SHAPE);
  settings = of_seed(0, -1);
  CHECK(consistency_draw(opened.session, &settings, x.data(), 784) == CONSISTENCY_CONFIG);

  auto const rejected = [&](auto const& change) {
    consistency_session_settings s;
    consistency_session_settings_init(&s);
    change(s);
    consistency_session session{1};
    auto const status = consistency_session_new(loaded.model, &s, &session);
    CHECK(session.id == 0);
    return status;
  };
  double const rising[] = {1, 2};
  consistency_executor const none{nullptr, nullptr, 2};
  CHECK(rejected([](auto& s) { s.batch = 0; }) == CONSISTENCY_CONFIG);
  CHECK(rejected([](auto& s) { s.threads = 0; }) == CONSISTENCY_CONFIG);
  CHECK(rejected([](auto& s) { s.threads = 100'000; }) == CONSISTENCY_CONFIG);
  CHECK(rejected([&](auto& s) { s.executor = &none; }) == CONSISTENCY_CONFIG);
  CHECK(rejected([](auto& s) { s.steps = 3; }) == CONSISTENCY_CONFIG);
  CHECK(rejected([&](auto& s) { s.times = rising, s.time_count = 2; }) == CONSISTENCY_CONFIG);
  CHECK(rejected([](auto& s) { s.time_count = 2; }) == CONSISTENCY_ARGUMENT);
  CHECK(rejected([](auto& s) { s.struct_size = 3; }) == CONSISTENCY_ARGUMENT);
  char text[4];
  CHECK(consistency_model_label(loaded.model, 0, text, 4) == CONSISTENCY_CONFIG);
  CHECK(consistency_model_label(loaded.model, 0, text, 0) == CONSISTENCY_SHAPE);
}

TEST_CASE("a session computes on the caller's threads, with the same bits") {
  Loaded const loaded;
  Opened const alone{loaded.model};
  int loops = 0;
  consistency_executor const executor{
      [](void* host, std::int64_t chunks, void (*work)(void*, std::int64_t), void* data) {
        std::thread other{[&] {
          for (std::int64_t i = 1; i < chunks; i += 2) work(data, i);
        }};
        for (std::int64_t i = 0; i < chunks; i += 2) work(data, i);
        other.join();
        ++*static_cast<int*>(host);
      },
      &loops, 2};
  consistency_session_settings settings;
  consistency_session_settings_init(&settings);
  settings.executor = &executor;
  consistency_session session{};
  REQUIRE(consistency_session_new(loaded.model, &settings, &session) == CONSISTENCY_OK);
  std::vector<float> x(784), y(784);
  CHECK(consistency_draw(session, nullptr, x.data(), x.size()) == CONSISTENCY_OK);
  CHECK(consistency_draw(alone.session, nullptr, y.data(), y.size()) == CONSISTENCY_OK);
  CHECK(x == y);
  CHECK(loops > 0);
  consistency_session_free(session);
}

TEST_CASE("a child of fork draws from its parent's sessions, with threads of its own") {
  Loaded const loaded;
  consistency_session_settings two;
  consistency_session_settings_init(&two);
  two.threads = 2;
  consistency_session session{};
  REQUIRE(consistency_session_new(loaded.model, &two, &session) == CONSISTENCY_OK);
  std::vector<float> x(784), y(784);
  CHECK(consistency_draw(session, nullptr, x.data(), x.size()) == CONSISTENCY_OK);
  CHECK(in_child([&] {
          if (consistency_draw(session, nullptr, y.data(), y.size()) != CONSISTENCY_OK) return 1;
          return x == y && consistency_session_free(session) == CONSISTENCY_OK ? 0 : 2;
        }) == 0);
  CHECK(consistency_session_free(session) == CONSISTENCY_OK);
}

TEST_CASE("no damage of a file is loaded, or more than a status") {
  TempFolder const folder;
  std::ifstream file{shipped, std::ios::binary};
  std::string const whole{std::istreambuf_iterator<char>{file}, {}};
  auto const load = [&](std::string const& bytes) {
    auto const path = (folder / "model").string();
    std::ofstream{path, std::ios::binary} << bytes;
    consistency_model model{};
    auto const status = consistency_model_load(path.c_str(), &model);
    CHECK(model.id == 0);
    return status;
  };
  consistency_model model{};
  CHECK(consistency_model_load((folder / "none").c_str(), &model) == CONSISTENCY_IO);
  CHECK(said("none"));
  CHECK(load("") == CONSISTENCY_FORMAT);
  for (std::size_t const length : {7UL, 8UL, 100UL, 20'000UL, whole.size() - 1})
    CHECK(load(whole.substr(0, length)) == CONSISTENCY_FORMAT);
  for (std::size_t const at : {whole.size() / 2, whole.size() - 1}) {
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CHECK(load(damaged) == CONSISTENCY_INTEGRITY);
  }
  auto const described = whole.find("\"model\"");
  REQUIRE(described != std::string::npos);
  for (std::size_t i = 0; i < 40; ++i) {  // in what says the model
    auto damaged = whole;
    auto& byte = damaged[described + 17 * i];
    byte = static_cast<char>(byte ^ 2);
    CHECK(load(damaged) != CONSISTENCY_OK);
  }
}
