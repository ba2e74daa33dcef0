// SPDX-License-Identifier: MIT
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/io/tensor_file.hpp>
#include <consistency/io/torch_parameters.hpp>

#include "../support/fails.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

std::filesystem::path golden(char const* name) {
  return std::filesystem::path{GOLDEN_FOLDER} / "torch" / name;
}

std::vector<std::string> names_of(TensorFile const& file) {
  std::vector<std::string> names;
  for (auto const& entry : file.entries()) names.push_back(entry.name);
  return names;
}

}  // namespace

TEST_CASE("tensors that are views of one storage, transposed ones too, are read where they lie") {
  ParameterTable table;
  table.add("conv.weight", {3, 1, 2, 2}, {});
  table.add("linear.weight", {4, 2}, {});
  table.add("linear.bias", {2}, {});
  auto const file = read_tensor_file(golden("views.pt"));
  CHECK(names_of(file) == std::vector<std::string>{"conv.weight", "linear.weight", "linear.bias"});
  CHECK(file.find("linear.weight")->strides == std::vector<std::uint64_t>{1, 2});
  ParameterTable square;
  square.add("linear.weight", {4, 2}, {});
  auto theta = Parameters<Tensor<float>>{square};
  read_torch_parameters_into(theta, golden("views.pt"), {.only = {"linear.weight"}});
  for (Index o = 0; o < 2; ++o)
    for (Index i = 0; i < 4; ++i) CHECK(theta[0](i, o) == static_cast<float>(2 * i + o));
  ParameterTable vectors;
  vectors.add("linear.bias", {2}, {});
  auto bias = Parameters<Tensor<float>>{vectors};
  read_torch_parameters_into(bias, golden("views.pt"), {.except = {"conv.*"}});
  CHECK(bias[0][0] == 20.0F);
  CHECK(bias[0][1] == 21.0F);
}

TEST_CASE("numbers of every type that networks have become float32, parameters and tensors alike") {
  ParameterTable table;
  for (auto const* const name : {"half", "bfloat", "double", "long"}) table.add(name, {2}, {});
  table.add("parameter", {1}, {});
  auto const theta = read_torch_parameters(golden("types.pt"), table, {.ignored = {"empty", "number"}});
  for (ParameterId id = 0; id < 3; ++id) {
    CHECK(theta[id][0] == 1.5F);
    CHECK(theta[id][1] == -2.0F);
  }
  CHECK(theta[3][0] == 3.0F);
  CHECK(theta[3][1] == -4.0F);
  CHECK(theta[4][0] == 5.0F);
  auto const file = read_tensor_file(golden("types.pt"));
  CHECK(file.find("empty")->shape == std::vector<std::uint64_t>{0, 3});
  CHECK(file.find("number")->shape.empty());
}

TEST_CASE("dictionaries within a checkpoint give names joined by dots, and other values are passed over") {
  auto const file = read_tensor_file(golden("checkpoint.pt"));
  CHECK(names_of(file) == std::vector<std::string>{"model.0.weight", "model.0.bias", "model.1.weight",
                                                   "model.1.bias", "model.1.running_mean",
                                                   "model.1.running_var", "model.1.num_batches_tracked"});
  CHECK(file.find("model.0.weight")->shape == std::vector<std::uint64_t>{2, 3});
}

TEST_CASE("a file that asks to run code is rejected by the name of what it would call") {
  check_fails<ErrorCode::format>([] { read_tensor_file(golden("attack.pt")); },
                                 {"attack.pt", "it asks to run code", "system", "GLOBAL", "state dict"});
  check_fails<ErrorCode::format>(
      [] { read_tensor_file(golden("module.pt")); },
      {"module.pt", "it asks to run code", "torch.nn.modules", "model.state_dict()"});
}

TEST_CASE("files of PyTorch before 1.6 are rejected with what to do") {
  check_fails<ErrorCode::format>([] { read_tensor_file(golden("legacy.pt")); },
                                 {"legacy.pt", "a pickle", "torch.save"});
}

TEST_CASE("a damaged or truncated file is an error, and never read beyond its end") {
  TempFolder const folder;
  auto const whole = read_file(golden("views.pt"));
  auto const path = folder / "damaged.pt";
  auto const rejected_or_read = [&](Bytes const& bytes) {
    write_file_atomically(path, bytes);
    try {
      auto const file = read_tensor_file(path);
      for (auto const& entry : file.entries()) CHECK(entry.bytes.size() <= bytes.size());
    } catch (format_error const& failure) {
      CHECK_FALSE(consistency::detail::has_control_bytes(failure.what()));
    }
  };
  for (std::size_t size = 5; size < whole.size(); size += 7)
    rejected_or_read({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
  for (std::size_t i = 0; i < whole.size(); ++i) {
    auto changed = whole;
    changed[i] ^= std::byte{0x81};
    rejected_or_read(changed);
  }
  check_fails<ErrorCode::format>(
      [&] {
        write_file_atomically(path, ByteView{whole}.first(whole.size() / 2));
        read_tensor_file(path);
      },
      {"damaged.pt", "zip archive", "truncated"});
}
