// SPDX-License-Identifier: MIT
// What networks.py or policy.py has written against this library's networks. usage: parity NAME FILE

#include <cstdio>
#include <string>
#include <vector>

#include <consistency/consistency.hpp>
#include <consistency/io/torch_parameters.hpp>
#include <consistency/network/conditional_unet1d.hpp>

#include "support.hpp"

namespace {

using namespace consistency;
using namespace consistency::parity;

/// `numbers` reads chunks of data, times and conditions.
bool compare(auto const& net, std::string const& path, X (*numbers)(TensorEntry const&) = images) {
  auto const file = read_tensor_file(path);
  auto const theta = read_torch_parameters(path, net.parameters(), {.ignored = {"golden.*"}});
  auto const x = numbers(*file.find("golden.x")), noise = numbers(*file.find("golden.noise"));
  Condition<X> condition;
  if (auto const* const labels = file.find("golden.labels"))
    condition = Condition<X>{numbers(*labels).reshaped({x.shape()[0], static_cast<Index>(labels->shape[1])})};
  auto const at = Conditions{noise, condition};
  X const F = net(theta, x, at);
  auto const error = deviation(F, numbers(*file.find("golden.F")));
  std::printf("output: %.2e", error);
  auto holds = error <= 2e-6;
  auto names = torch_names(net.parameters());
  for (auto& source : names) source.names.front() = "golden.grad." + source.names.front();
  if (file.find(names.front().names.front()) != nullptr) {
    auto const expected = read_torch_parameters(path, net.parameters(), {.names = names, .ignored = {"*"}});
    auto const gradient = Parameters<X>{net.parameters()};
    Tape<X> tape;
    Parameters<Variable<X>> watched;
    watched.watch(tape, theta, gradient);
    tape.backward(sum(numbers(*file.find("golden.weights")) * net(watched, x, at)));
    auto all = expected.flat().clone();
    for (auto const& entry : net.parameters().entries())  // what is constant here has a gradient there
      if (entry.constant) all.view(entry.offset, entry.shape).fill(0.0F);
    auto const of_gradient = deviation(gradient.flat(), all);
    std::printf(", gradient: %.2e", of_gradient);
    holds = holds && of_gradient <= 1e-5;
  }
  std::printf("%s\n", holds ? "" : "  (too much)");
  return holds;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  auto const name = std::string{argv[1]};
  auto const small = name.starts_with("small_");
  if (name.ends_with("push_t_state"))
    return compare(ConditionalUNet1d{ConditionalUNet1dSettings::push_t_state()}, argv[2], as_they_are) ? 0
                                                                                                       : 1;
  if (name == "small_push_t")
    return compare(
               ConditionalUNet1d{
                   {.horizon = 8, .widths = {8, 16}, .embedding = 8, .condition = {.features = 3}}},
               argv[2], as_they_are)
               ? 0
               : 1;
  if (name.ends_with("adm64")) {
    auto s = AdmSettings{.condition = {.features = 1000}};
    if (small)
      s.channels = 32, s.multipliers = {1, 2}, s.blocks = 1, s.attention = {8}, s.embedding = 128,
      s.image = {16, 16, 3};
    return compare(Adm{s}, argv[2]) ? 0 : 1;
  }
  auto s = name.ends_with("ncsnpp") ? SongUNetSettings::ncsnpp() : SongUNetSettings::ddpmpp();
  if (small)
    s.channels = 32, s.multipliers = {1, 2}, s.blocks = 1, s.attention = {8}, s.embedding = 128,
    s.image = {16, 16, 3};
  return compare(SongUNet{s}, argv[2]) ? 0 : 1;
} catch (std::exception const& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
