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

#include "../support/refused.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// A tensor file in the making: tensors of 0, 1, 2 … from `first` on.
class TorchFile {
 public:
  template <class S = float>
  TorchFile& with(std::string name, std::vector<std::uint64_t> shape, int first = 0) {
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
  TorchFile{}
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

TEST_CASE("one error lists every tensor that does not fit") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  TorchFile{}
      .with("linear.weight", {4, 2})
      .with<double>("linear.bias", {2})
      .with("classifier.weight", {1})
      .with<std::int64_t>("bn.num_batches_tracked", {})
      .write(path);
  check_refused<ErrorCode::mismatch>(
      [&] { read_torch_parameters(path, some_table()); },
      {path.string(), "1 missing: conv.weight", "1 of another shape: linear.weight is (4, 2), not (2, 4)",
       "1 of another type: linear.bias is F64, not F32", "2 unexpected: ", "classifier.weight",
       "bn.num_batches_tracked"});
}

TEST_CASE("tensors may be ignored by name, and only those") {
  TempFolder const folder;
  auto const path = folder / "model.safetensors";
  TorchFile{}
      .with("linear.weight", {2, 4})
      .with("linear.bias", {2})
      .with("conv.weight", {3, 2, 3, 3})
      .with("classifier.0.weight", {1})
      .with<std::int64_t>("bn.num_batches_tracked", {})
      .write(path);
  auto const read = [&](std::string_view suffix) {
    return read_torch_parameters(path, some_table(), [=](std::string_view name) {
      return name.starts_with("classifier.") || name.ends_with(suffix);
    });
  };
  CHECK(read("num_batches_tracked")[2][1] == 1.0F);
  check_refused<ErrorCode::mismatch>([&] { read(".running_var"); }, {"1 unexpected: bn.num_batches_tracked"});
}
