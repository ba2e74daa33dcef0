// SPDX-License-Identifier: MIT
// What features.py has written against this library's feature networks. usage: parity_features NAME FILE

#include <cstdio>
#include <exception>
#include <string>

#include <consistency/network/dinov2.hpp>
#include <consistency/network/feature_extractor.hpp>
#include <consistency/network/inception_v3.hpp>

#include "support.hpp"

namespace {

using namespace consistency;
using namespace consistency::parity;

bool holds(TensorFile const& file, char const* name, X const& found) {
  auto const* const entry = file.find(std::string{"golden."} + name);
  auto const expected = images(*entry).reshaped(found.shape());
  auto const error = deviation(found, expected);
  std::printf("%s: %.2e\n", name, error);
  return error <= 1e-5;
}

bool compare(InceptionV3 const& net, std::string const& path) {
  auto const file = read_tensor_file(path);
  auto const theta = read_torch_parameters(path, net.parameters(), {.ignored = {"golden.*"}});
  auto const x = images(*file.find("golden.x"));
  auto const features = FeatureExtractor{net, theta}(x);
  auto all = holds(file, "seen", inception_resize(x));
  all = holds(file, "features", features) && all;
  all = holds(file, "spatial", net.spatial(theta, x)) && all;
  return holds(file, "logits", net.logits(theta, features)) && all;
}

bool compare(DinoV2 const& net, std::string const& path) {
  auto const file = read_tensor_file(path);
  auto const theta = read_torch_parameters(path, net.parameters(), {.ignored = {"golden.*"}});
  return holds(file, "features", FeatureExtractor{net, theta}(images(*file.find("golden.x"))));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  auto const name = std::string{argv[1]};
  if (name == "inception_v3") return compare(InceptionV3{}, argv[2]) ? 0 : 1;
  auto const small = DinoV2Settings{.channels = 48, .blocks = 3, .heads = 3, .hidden = 192, .grid = 7};
  return compare(DinoV2{name == "small_dinov2" ? small : DinoV2Settings{}}, argv[2]) ? 0 : 1;
} catch (std::exception const& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
