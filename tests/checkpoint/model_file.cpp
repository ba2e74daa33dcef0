// SPDX-License-Identifier: MIT
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include <consistency/checkpoint/model_file.hpp>
#include <consistency/condition/class_labels.hpp>
#include <consistency/sampling/sample.hpp>

#include "../io/support.hpp"
#include "../support/compare.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// x by a factor that is a setting.
class Multiple {
 public:
  struct Settings {
    double factor = 1;
  };
  explicit Multiple(Settings settings = {1}) : settings_{settings} {
    table_.add("none", {1}, Initializer::ones());
  }
  ParameterTable const& parameters() const { return table_; }
  Settings const& settings() const { return settings_; }
  Shape data_shape() const { return {2}; }
  auto operator()(auto const&, Value auto const& x, Operand auto const&, Mode const& = {}) const {
    return evaluated(settings_.factor * x);
  }

 private:
  Settings settings_;
  ParameterTable table_;
};

}  // namespace

namespace consistency {

template <>
struct Described<Multiple> {
  static constexpr std::string_view name = "Multiple";
  static void fields(auto& s, auto const& visit) { visit("factor", s.factor); }
};

}  // namespace consistency

namespace {

using OfMlp = ConsistencyFunction<Mlp>;
using OfLinear = ConsistencyFunction<Mlp, VelocityPreconditioning, LinearPath>;

auto const net =
    Mlp{{.dimensions = 3, .width = 8, .layers = 2, .embedding = 4, .condition = {.features = 2}}};
auto const model =
    Model{ConsistencyFunction{net, EdmPreconditioning{.sigma_data = 0.3},
                              VarianceExploding{.epsilon = 0.01, .T = 7, .rho = 3}},
          Parameters<Tensor<float>>::initialized(net.parameters(), {1}),
          {.data = {.scale = {1, 2, 0.1}, .offset = {3, 4, 1e-7}}, .labels = {"left", "right"}}};

TempFolder const& folder() {
  static TempFolder const all;
  return all;
}

std::filesystem::path saved() {
  auto const path = folder() / "model.safetensors";
  save_model(path, model, 9, {{"name", "value"}});
  return path;
}

/// The file of `model` with its description changed.
std::filesystem::path lying(auto const& change) {
  auto described = nlohmann::json::parse(describe_model(model.f, model.data));
  change(described);
  auto const path = folder() / "lying.safetensors";
  save_parameters(path, model.theta, "averaged", 9, {}, {}, {}, described.dump());
  return path;
}

/// Settings other than the defaults give the same description again when it is read.
template <class Part>
void check_survives(auto const& settings, std::size_t keys) {
  auto const described = detail::fields_to_json<Part>(settings);
  CHECK(described.size() == keys);
  auto const read = detail::DescriptionReader{"", ""}.read<Part>(described, "");
  CHECK(detail::fields_to_json<Part>(read) == described);
  CHECK(detail::fields_to_json<Part>(std::remove_cvref_t<decltype(settings)>{}) != described);
}

}  // namespace

TEST_CASE("a model that was loaded draws the same samples as the one that was saved") {
  auto const read = load_model<OfMlp>(saved());
  CHECK(read.data == model.data);
  auto const settings =
      SampleSettings{.seed = 4, .count = 3, .condition = ClassLabels{.labels = {0, 1, 0}, .classes = 2}};
  CHECK(same_bits(sample(read.f, read.theta, OneStep{}, settings),
                  sample(model.f, model.theta, OneStep{}, settings)));
  auto const file = CheckpointFile{saved()};
  CHECK(file.step() == 9);
  CHECK(file.settings() == Metadata{{"name", "value"}});
  CHECK(file.library_version() == version);
}

TEST_CASE("every setting of every network, process and parameterization comes back") {
  check_survives<UNet>(UNetSettings{.channels = 8,
                                    .multipliers = {1, 2, 4},
                                    .blocks = 1,
                                    .attention = {4},
                                    .heads = 2,
                                    .groups = 4,
                                    .patch = 2,
                                    .dropout = 0.1,
                                    .embedding = 12,
                                    .conditioning = Conditioning::add,
                                    .time = {.scale = 0.1, .order = TimeEmbedding::Order::sin_cos},
                                    .condition = {.features = 3, .null = false, .labels = 2},
                                    .image = {16, 8, 2}},
                       13);
  check_survives<SongUNet>(SongUNetSettings::ncsnpp(), 14);
  check_survives<Adm>(AdmSettings::ddpm(), 15);
  check_survives<VarianceExploding>(VarianceExploding{.epsilon = 0.01, .T = 9, .rho = 1.0 / 3}, 3);
  check_survives<LinearPath>(LinearPath{.epsilon = 0.01, .T = 0.9, .rho = 2}, 3);
  check_survives<Trigonometric>(Trigonometric{.sigma_data = 0.7, .epsilon = 0.01, .T = 1.5}, 4);
  check_survives<EdmPreconditioning>(EdmPreconditioning{.sigma_data = 0.1}, 1);
  check_survives<TrigonometricPreconditioning>(TrigonometricPreconditioning{.sigma_data = 0.1}, 1);
}

TEST_CASE("a file holds one of several kinds, and says which where another is asked for") {
  using Any = std::variant<Denoiser<Mlp>, OfMlp>;
  auto const any = load_model<Any>(saved());
  REQUIRE(std::holds_alternative<Model<OfMlp>>(any));
  CHECK(same_bits(std::get<Model<OfMlp>>(any).theta.flat(), model.theta.flat()));
  check_fails<ErrorCode::mismatch>(
      [] { load_model<Denoiser<Mlp>>(saved()); },
      {"model.safetensors", "found ConsistencyFunction of Mlp", "expected Denoiser of Mlp"});
  check_fails<ErrorCode::mismatch>(
      [] { load_model<std::variant<Denoiser<Mlp>, OfLinear>>(saved()); },
      {"found ConsistencyFunction of Mlp", "Denoiser of Mlp", "or ConsistencyFunction of Mlp, Velocity"});
  check_fails<ErrorCode::mismatch>(
      [] { load_model<OfLinear>(saved()); },
      {"found ConsistencyFunction of Mlp, EdmPreconditioning, VarianceExploding", "LinearPath"});
}

TEST_CASE(
    "a checkpoint that describes its model is one too, and numbers alone go to who names their network") {
  auto const path = folder() / "checkpoint.safetensors";
  auto const theta = Parameters<Tensor<float>>::initialized(net.parameters(), {2});
  save_checkpoint(path, {theta, {}, model.theta, {}, {}, 3, {}, model.f.process().text()}, {},
                  describe_model(model.f));
  CHECK(same_bits(load_model<OfMlp>(path, "theta").theta.flat(), theta.flat()));
  CHECK(same_bits(load_model<OfMlp>(path).theta.flat(), model.theta.flat()));
  auto const bare = folder() / "bare.safetensors";
  save_parameters(bare, model.theta, "averaged", 1, {});
  check_fails<ErrorCode::mismatch>([&] { load_model<OfMlp>(bare); },
                                   {"does not say its model", "load_parameters"});
  CHECK(same_bits(load_parameters(bare, net.parameters(), "averaged").flat(), model.theta.flat()));
}

TEST_CASE(
    "settings that lie, of another type or of a later version are errors that name found and expected") {
  auto const fails = [](auto const& change, std::initializer_list<std::string_view> words) {
    auto const path = lying(change);
    check_fails<ErrorCode::format>([&] { load_model<OfMlp>(path); }, words);
  };
  using Json = nlohmann::json;
  fails([](Json& j) { j["version"] = 2; }, {"'version'", "found 2", "at most 1", "was written by version"});
  fails([](Json& j) { j["network"]["gates"] = true; }, {"'network.gates'", "found true", "no such setting"});
  fails([](Json& j) { j["network"]["width"] = "wide"; }, {"'network.width'", "\"wide\"", "a whole number"});
  fails([](Json& j) { j["network"]["width"] = 1e300; }, {"'network.width'", "a whole number"});
  fails([](Json& j) { j["network"]["width"] = 18446744073709551615U; }, {"a whole number"});
  fails([](Json& j) { j["network"]["width"] = -8; }, {"lying.safetensors: model: Mlp", "width -8"});
  fails([](Json& j) { j["network"]["layers"] = 1 << 30; }, {"layers from 1 to 1024"});
  fails([](Json& j) { j["network"]["time"]["order"] = "up"; }, {"'network.time.order'", "cos_sin, sin_cos"});
  fails([](Json& j) { j["network"] = 3; }, {"'kind'", "the name of a type"});
  fails([](Json& j) { j["process"]["epsilon"] = 8; }, {"VarianceExploding", "T", "found 7"});
  fails([](Json& j) { j["process"]["T"] = nullptr; }, {"'process.T'", "found null", "a number"});
  fails([](Json& j) { j["parameterization"]["sigma_data"] = 0; }, {"sigma_data", "positive"});
  fails([](Json& j) { j["data"]["data"]["scale"] = {1, 2}; }, {"data", "found 2 and 3", "3 each"});
  fails([](Json& j) { j["data"]["data"]["scale"] = {1, 0, 1}; }, {"dimension 1", "scale 0"});
  fails([](Json& j) { j["data"]["labels"] = {"a\nb"}; }, {"'data.labels[]'", "control bytes"});
  fails([](Json& j) { j = 3; }, {"model", "a JSON object"});
  auto const wider = lying([](Json& j) { j["network"]["width"] = 16; });
  check_fails<ErrorCode::mismatch>([&] { load_model<OfMlp>(wider); },
                                   {"tensors of another network", "hidden0.weight has shape"});
  auto const slower = lying([](Json& j) { j["network"]["time"]["scale"] = 2; });
  check_fails<ErrorCode::mismatch>([&] { load_model<OfMlp>(slower); }, {"another setting 'time'"});
}

TEST_CASE("a network of one's own is saved and loaded once its settings are described") {
  auto const f = ConsistencyFunction{Multiple{{.factor = 0.3}}};
  auto const path = folder() / "own.safetensors";
  save_model(path, Model{f, f.initialize({1})});
  auto const read = load_model<ConsistencyFunction<Multiple>>(path);
  CHECK(read.f.network().settings().factor == 0.3);
  check_fails<ErrorCode::mismatch>([&] { load_model<OfMlp>(path); },
                                   {"found ConsistencyFunction of Multiple"});
}

TEST_CASE("a model is not saved with a normalizer of other data") {
  auto wrong = model;
  wrong.data.data.scale.pop_back();
  check_fails<ErrorCode::config>([&] { save_model(folder() / "no.safetensors", wrong); },
                                 {"save_model", "found 2 and 3", "3 each"});
}
