// SPDX-License-Identifier: MIT
// Training through c.h: a small model of two points, from nothing to a file that is drawn from.
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/c.h>

#include "../support/temp_folder.hpp"

using namespace consistency::test;

namespace {

constexpr std::int64_t K = 2000;

consistency_model made_new(bool denoiser, std::int64_t condition_numbers = 0) {
  consistency_model_settings settings;
  consistency_model_settings_init(&settings);
  settings.shape[0] = 2;
  settings.rank = 1;
  settings.channels = 48;
  settings.denoiser = denoiser ? 1 : 0;
  settings.condition_numbers = condition_numbers;
  consistency_model model{};
  REQUIRE(consistency_model_new(&settings, &model) == CONSISTENCY_OK);
  return model;
}

consistency_trainer_settings of_steps(std::int64_t steps) {
  consistency_trainer_settings settings;
  consistency_trainer_settings_init(&settings);
  settings.steps = steps;
  settings.learning_rate = 2e-3;
  settings.huber = 0.03;
  return settings;
}

/// Step k's batch: (0.7, 0.7) and (−0.7, −0.7) in turn, or by the condition.
std::vector<float> points(std::size_t n = 64) {
  std::vector<float> x;
  for (std::size_t i = 0; i < n; ++i) x.insert(x.end(), 2, i % 2 == 0 ? 0.7F : -0.7F);
  return x;
}

consistency_model trained(consistency_model from, consistency_trainer_settings const& settings,
                          std::vector<double>* losses = nullptr) {
  consistency_trainer trainer{};
  REQUIRE(consistency_trainer_new(from, &settings, &trainer) == CONSISTENCY_OK);
  auto const batch = points();
  for (std::int64_t k = 0; k < settings.steps; ++k) {
    double loss = -1;
    REQUIRE(consistency_train(trainer, batch.data(), batch.size(), nullptr, 0, &loss) == CONSISTENCY_OK);
    CHECK(loss >= 0);
    if (losses != nullptr) losses->push_back(loss);
  }
  CHECK(consistency_train(trainer, batch.data(), batch.size(), nullptr, 0, nullptr) == CONSISTENCY_CONFIG);
  consistency_model model{};
  REQUIRE(consistency_trainer_model(trainer, &model) == CONSISTENCY_OK);
  CHECK(consistency_trainer_free(trainer) == CONSISTENCY_OK);
  return model;
}

std::vector<float> drawn(consistency_model model) {
  consistency_session_settings settings;
  consistency_session_settings_init(&settings);
  settings.batch = 200;
  consistency_session session{};
  REQUIRE(consistency_session_new(model, &settings, &session) == CONSISTENCY_OK);
  std::vector<float> x(400);
  REQUIRE(consistency_draw(session, nullptr, x.data(), x.size()) == CONSISTENCY_OK);
  CHECK(consistency_session_free(session) == CONSISTENCY_OK);
  return x;
}

/// The share of samples within 0.35 of one of the two points.
double share_near(std::vector<float> const& x) {
  auto near = 0.0;
  for (std::size_t i = 0; i < x.size(); i += 2) {
    auto const at = x[i] > 0 ? 0.7 : -0.7;
    near += std::hypot(x[i] - at, x[i + 1] - at) < 0.35 ? 2 : 0;
  }
  return near / static_cast<double>(x.size());
}

bool said(std::string_view words) {
  return std::string_view{consistency_last_error()}.find(words) != std::string_view::npos;
}

}  // namespace

TEST_CASE("a consistency function that is trained through C draws its data, and so does its file") {
  TempFolder const folder;
  auto const fresh = made_new(false);
  CHECK(share_near(drawn(fresh)) < 0.3);
  std::vector<double> losses, again;
  auto const model = trained(fresh, of_steps(K), &losses);
  CHECK(share_near(drawn(model)) > 0.6);
  CHECK(share_near(drawn(fresh)) < 0.3);  // what it began with is as before

  auto const path = (folder / "points.safetensors").string();
  REQUIRE(consistency_model_save(model, path.c_str()) == CONSISTENCY_OK);
  consistency_model read{};
  REQUIRE(consistency_model_load(path.c_str(), &read) == CONSISTENCY_OK);
  CHECK(drawn(read) == drawn(model));

  auto threads = of_steps(20);
  threads.threads = 2;
  losses.clear();
  auto const other = trained(fresh, of_steps(20), &losses), third = trained(fresh, threads, &again);
  CHECK(losses == again);  // to the bit
  for (auto const one : {fresh, model, read, other, third})
    CHECK(consistency_model_free(one) == CONSISTENCY_OK);
}

TEST_CASE("a denoiser that is trained through C is distilled through C") {
  auto const fresh = made_new(true), student = made_new(false);
  auto const teacher = trained(fresh, of_steps(K));
  CHECK(share_near(drawn(teacher)) > 0.9);
  auto settings = of_steps(K);
  settings.teacher = teacher;
  auto const distilled = trained(student, settings);
  CHECK(share_near(drawn(distilled)) > 0.8);

  consistency_trainer trainer{};
  CHECK(consistency_trainer_new(teacher, &settings, &trainer) ==
        CONSISTENCY_CONFIG);  // a teacher of a teacher
  settings.teacher = distilled;
  CHECK(consistency_trainer_new(student, &settings, &trainer) == CONSISTENCY_MISMATCH);
  CHECK(trainer.id == 0);
  for (auto const one : {fresh, student, teacher, distilled})
    CHECK(consistency_model_free(one) == CONSISTENCY_OK);
}

TEST_CASE("images with conditions are trained on, and a step that fails leaves the trainer as it was") {
  std::int64_t const multipliers[] = {1, 2}, attention[] = {4};
  consistency_model_settings settings;
  consistency_model_settings_init(&settings);
  settings.shape[0] = settings.shape[1] = 8;
  settings.shape[2] = 1;
  settings.rank = 3;
  settings.channels = 8;
  settings.blocks = 1;
  settings.multipliers = multipliers, settings.multiplier_count = 2;
  settings.attention = attention, settings.attention_count = 1;
  settings.condition_numbers = 3;
  consistency_model model{};
  REQUIRE(consistency_model_new(&settings, &model) == CONSISTENCY_OK);
  consistency_model_info info;
  REQUIRE(consistency_model_describe(model, &info) == CONSISTENCY_OK);
  CHECK((info.sample_numbers == 64 && info.condition_numbers == 3 && info.denoiser == 0));

  auto const training = of_steps(3);
  auto const losses = [&](bool with_failures) {
    std::vector<float> x(128, 0.5F), condition{1, 0, 0, 0, 0, 1};
    std::vector<double> all;
    consistency_trainer trainer{};
    REQUIRE(consistency_trainer_new(model, &training, &trainer) == CONSISTENCY_OK);
    auto const step = [&] {
      double loss = 0;
      auto const status =
          consistency_train(trainer, x.data(), x.size(), condition.data(), condition.size(), &loss);
      if (status == CONSISTENCY_OK) all.push_back(loss);
      return status;
    };
    CHECK(step() == CONSISTENCY_OK);
    if (with_failures) {
      x[5] = std::numeric_limits<float>::quiet_NaN();
      CHECK(step() == CONSISTENCY_DATASET);
      x[5] = 0.5F;
      x.pop_back();
      CHECK(step() == CONSISTENCY_SHAPE);
      CHECK(said("64 for each"));
      x.push_back(0.5F);
      condition.pop_back();
      CHECK(step() == CONSISTENCY_SHAPE);
      condition.push_back(1);
      CHECK(consistency_train(trainer, nullptr, 64, nullptr, 0, nullptr) == CONSISTENCY_ARGUMENT);
      CHECK(consistency_train(trainer, x.data(), x.size(), nullptr, 6, nullptr) == CONSISTENCY_ARGUMENT);
    }
    CHECK(step() == CONSISTENCY_OK);
    CHECK(consistency_trainer_free(trainer) == CONSISTENCY_OK);
    CHECK(consistency_trainer_free(trainer) == CONSISTENCY_HANDLE);
    CHECK(consistency_train(trainer, x.data(), x.size(), nullptr, 0, nullptr) == CONSISTENCY_HANDLE);
    return all;
  };
  CHECK(losses(false) == losses(true));
  CHECK(consistency_model_free(model) == CONSISTENCY_OK);
}

TEST_CASE("settings that no model or trainer has are a status") {
  auto const rejected = [](auto const& change) {
    consistency_model_settings settings;
    consistency_model_settings_init(&settings);
    settings.shape[0] = settings.shape[1] = 8;
    settings.shape[2] = 1;
    settings.rank = 3;
    change(settings);
    consistency_model model{7};
    auto const status = consistency_model_new(&settings, &model);
    CHECK(model.id == 0);
    return status;
  };
  CHECK(rejected([](auto& s) { s.rank = 2; }) == CONSISTENCY_CONFIG);
  CHECK(rejected([](auto& s) { s.shape[1] = -8; }) == CONSISTENCY_SHAPE);
  CHECK(rejected([](auto& s) { s.channels = -1; }) == CONSISTENCY_CONFIG);
  CHECK(rejected([](auto& s) { s.patch = 0; }) == CONSISTENCY_CONFIG);
  CHECK(rejected([](auto& s) {
          s.heads = 3;
          s.attention_count = 1;
        }) == CONSISTENCY_ARGUMENT);
  CHECK(rejected([](auto& s) { s.struct_size = 0; }) == CONSISTENCY_ARGUMENT);
  CHECK(rejected([](auto& s) { s.condition_numbers = -1; }) == CONSISTENCY_CONFIG);
  CHECK(consistency_model_new(nullptr, nullptr) == CONSISTENCY_ARGUMENT);

  auto const model = made_new(false);
  auto const no_trainer = [&](auto const& change) {
    auto settings = of_steps(10);
    change(settings);
    consistency_trainer trainer{7};
    auto const status = consistency_trainer_new(model, &settings, &trainer);
    CHECK(trainer.id == 0);
    return status;
  };
  CHECK(no_trainer([](auto& s) { s.steps = 0; }) == CONSISTENCY_CONFIG);
  CHECK(no_trainer([](auto& s) { s.learning_rate = -1; }) == CONSISTENCY_CONFIG);
  CHECK(no_trainer([](auto& s) { s.huber = std::nan(""); }) == CONSISTENCY_CONFIG);
  CHECK(no_trainer([](auto& s) { s.threads = 0; }) == CONSISTENCY_CONFIG);
  CHECK(no_trainer([](auto& s) { s.teacher = {12345}; }) == CONSISTENCY_HANDLE);
  CHECK(no_trainer([](auto& s) { s.struct_size = 1; }) == CONSISTENCY_ARGUMENT);
  consistency_trainer trainer{};
  CHECK(consistency_trainer_new(model, nullptr, &trainer) == CONSISTENCY_ARGUMENT);
  CHECK(consistency_trainer_new({}, nullptr, &trainer) == CONSISTENCY_ARGUMENT);
  CHECK(consistency_model_save(model, "/nowhere/at/all.safetensors") == CONSISTENCY_IO);
  CHECK(consistency_model_save({}, "x") == CONSISTENCY_HANDLE);
  CHECK(consistency_model_free(model) == CONSISTENCY_OK);
}
