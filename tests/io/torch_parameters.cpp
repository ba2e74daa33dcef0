// SPDX-License-Identifier: MIT
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/io/safetensors_write.hpp>
#include <consistency/io/torch_parameters.hpp>

#include "../support/fails.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// A tensor file in the making: tensors of 0, 1, 2 … from `first` on.
class FileOfTorch {
 public:
  template <class S = float>
  FileOfTorch& with(std::string name, std::vector<std::uint64_t> shape, int first = 0) {
    std::size_t count = 1;
    for (auto const extent : shape) count *= extent;
    auto& bytes = data_.emplace_back(count * sizeof(S));
    for (std::size_t i = 0; i < count; ++i) {
      auto const value = static_cast<S>(first + static_cast<int>(i));
      std::memcpy(bytes.data() + i * sizeof(S), &value, sizeof(S));
    }
    entries_.push_back({std::move(name), dtype_of<S>(), std::move(shape), {}});
    return *this;
  }
  void write(std::filesystem::path const& path) {
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].bytes = data_[i];
    write_safetensors(path, entries_);
  }

 private:
  std::vector<TensorEntry> entries_;
  std::vector<Bytes> data_;
};

/// A convolution of 2 to 3 channels, a linear map of 4 to 2, and a vector.
ParameterTable some_table() {
  ParameterTable table;
  table.add("conv.weight", {3, 3, 2, 3}, Initializer::zeros());
  table.add("linear.weight", {4, 2}, Initializer::zeros());
  table.add("linear.bias", {2}, Initializer::zeros());
  return table;
}

}  // namespace

TEST_CASE("PyTorch's layouts become this library's") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  FileOfTorch{}
      .with("linear.bias", {2}, 7)
      .with("conv.weight", {3, 2, 3, 3})
      .with("linear.weight", {2, 4}, 100)
      .write(path);
  auto const theta = read_torch_parameters(path, some_table());
  for (Index o = 0; o < 3; ++o)
    for (Index c = 0; c < 2; ++c)
      for (Index i = 0; i < 3; ++i)
        for (Index j = 0; j < 3; ++j)
          CHECK(theta[0][((i * 3 + j) * 2 + c) * 3 + o] == static_cast<float>(((o * 2 + c) * 3 + i) * 3 + j));
  for (Index o = 0; o < 2; ++o)
    for (Index i = 0; i < 4; ++i) CHECK(theta[1][i * 2 + o] == static_cast<float>(100 + o * 4 + i));
  CHECK(theta[2][0] == 7.0F);
  CHECK(theta[2][1] == 8.0F);
}

TEST_CASE("parameters of three axes have one order here and in PyTorch's files") {
  ParameterTable table;
  table.add("positions", {2, 3, 20}, Initializer::zeros());
  TempFolder const folder;
  FileOfTorch{}.with("positions", {2, 3, 20}).write(folder / "in.safetensors");
  auto const theta = read_torch_parameters(folder / "in.safetensors", table);
  for (Index i = 0; i < 120; ++i) CHECK(theta.at("positions")[i] == static_cast<float>(i));
  write_torch_parameters(folder / "out.safetensors", theta);
  auto const again = read_torch_parameters(folder / "out.safetensors", table);
  CHECK(std::memcmp(again.flat().data(), theta.flat().data(), 120 * sizeof(float)) == 0);
}

TEST_CASE("one error lists every tensor that does not fit") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  FileOfTorch{}
      .with("linear.weight", {4, 2})
      .with<std::int32_t>("linear.bias", {2})
      .with("classifier.weight", {1})
      .with<std::int64_t>("bn.num_batches_tracked", {})
      .write(path);
  check_fails<ErrorCode::mismatch>(
      [&] { read_torch_parameters(path, some_table()); },
      {path.string(), "1 missing: conv.weight", "1 of another shape: linear.weight is (4, 2), not (2, 4)",
       "1 of another type: linear.bias is I32, not F32, F16, BF16, F64 or I64",
       "2 unexpected: ", "classifier.weight", "bn.num_batches_tracked"});
}

TEST_CASE("a file of strangers is rejected with twenty of their names and their number") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  FileOfTorch file;
  for (int i = 100; i < 150; ++i) file.with("stranger" + number_text(i), {1});
  file.write(path);
  check_fails<ErrorCode::mismatch>([&] { read_torch_parameters(path, some_table()); },
                                   {"3 missing", "50 unexpected", "stranger119 and 30 more"});
}

TEST_CASE("a linear map may be a 1x1 convolution in the file, and nothing else of more axes") {
  TempFolder const folder;
  auto const write = [&](std::vector<std::uint64_t> shape) {
    auto path = folder / "model.safetensors";
    FileOfTorch{}
        .with("linear.weight", std::move(shape), 100)
        .with("linear.bias", {2})
        .with("conv.weight", {3, 2, 3, 3})
        .write(path);
    return path;
  };
  auto const theta = read_torch_parameters(write({2, 4, 1, 1}), some_table());
  for (Index o = 0; o < 2; ++o)
    for (Index i = 0; i < 4; ++i) CHECK(theta[1][i * 2 + o] == static_cast<float>(100 + o * 4 + i));
  for (auto const& shape : {std::vector<std::uint64_t>{2, 2, 1, 2}, {1, 1, 4, 2}, {4, 2, 1, 1}, {2, 4, 2}})
    check_fails<ErrorCode::mismatch>([&] { read_torch_parameters(write(shape), some_table()); },
                                     {"1 of another shape: linear.weight is", "not (2, 4)"});
}

TEST_CASE("interleaved maps of a file become maps that follow each other") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  ParameterTable table;
  table.add("qkv.weight", {2, 6}, {}, 3);
  table.add("qkv.bias", {6}, {}, 3);
  FileOfTorch{}.with("qkv.weight", {6, 2, 1, 1}).with("qkv.bias", {6}, 50).write(path);
  auto const theta = read_torch_parameters(path, table);
  for (Index map = 0; map < 3; ++map)
    for (Index channel = 0; channel < 2; ++channel) {
      auto const ours = map * 2 + channel, theirs = 3 * channel + map;
      CHECK(theta[1][ours] == static_cast<float>(50 + theirs));
      for (Index i = 0; i < 2; ++i) CHECK(theta[0][i * 6 + ours] == static_cast<float>(2 * theirs + i));
    }
}

TEST_CASE("names behind model. are read, unless the bare ones are there") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  FileOfTorch behind;
  behind.with("model.linear.weight", {2, 4})
      .with("model.linear.bias", {2}, 7)
      .with("model.conv.weight", {3, 2, 3, 3});
  behind.write(path);
  CHECK(read_torch_parameters(path, some_table())[2][1] == 8.0F);
  behind.with("linear.bias", {2}).write(path);
  check_fails<ErrorCode::mismatch>([&] { read_torch_parameters(path, some_table()); },
                                   {"2 missing", "3 unexpected", "model.linear.weight"});
}

TEST_CASE("tensors that a network calls foreign may be there, if they have the numbers it computes with") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  ParameterTable table;
  table.add("w", {2}, {});
  table.add_foreign({"labels", {}});
  table.add_foreign({"filter", 3});
  auto const read = [&](int filter) {
    FileOfTorch{}.with("w", {2}).with("labels", {5}).with("filter", {1, 1, 1}, filter).write(path);
    return read_torch_parameters(path, table);
  };
  CHECK(read(3)[0][1] == 1.0F);
  check_fails<ErrorCode::mismatch>([&] { read(4); }, {"1 of another network: filter has 4, not 3"});
  FileOfTorch{}.with("w", {2}).write(path);
  CHECK(read_torch_parameters(path, table)[0][1] == 1.0F);
}

TEST_CASE("tensors may be ignored by name, and only those") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  FileOfTorch{}
      .with("linear.weight", {2, 4})
      .with("linear.bias", {2})
      .with("conv.weight", {3, 2, 3, 3})
      .with("classifier.0.weight", {1})
      .with<std::int64_t>("bn.num_batches_tracked", {})
      .write(path);
  auto const read = [&](std::string const& suffix) {
    return read_torch_parameters(path, some_table(), {.ignored = {"classifier.*", "*" + suffix}});
  };
  CHECK(read("num_batches_tracked")[2][1] == 1.0F);
  check_fails<ErrorCode::mismatch>([&] { read(".running_var"); }, {"1 unexpected: bn.num_batches_tracked"});
}
