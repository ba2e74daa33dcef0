// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include <consistency/evaluation/frechet_distance.hpp>
#include <consistency/io/feature_statistics.hpp>
#include <consistency/io/npz.hpp>
#include <consistency/tensor/cpu.hpp>

#include "../support/compare.hpp"
#include "support.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

// What NumPy has written: golden/npz.py.
auto const golden = std::filesystem::path{GOLDEN_FOLDER} / "npz";

Gaussian gaussian(std::filesystem::path const& path) {
  auto const statistics = read_statistics(path);
  return Gaussian::of(statistics.mean, statistics.covariance);
}

/// Writes the bytes of a file after a change.
std::filesystem::path changed(TempFolder const& folder, std::filesystem::path const& from,
                              auto const& change) {
  auto bytes = read_file(from);
  change(bytes);
  auto const path = folder.path() / "changed.npz";
  write_file_atomically(path, bytes);
  return path;
}
std::size_t place(Bytes const& bytes, std::string_view text) {
  auto const at = bytes_text(bytes).find(text);
  REQUIRE(at != std::string_view::npos);
  return at;
}

}  // namespace

TEST_CASE("statistics that NumPy has written, deflated, give SciPy's Fréchet distance") {
  CHECK(frechet_distance(gaussian(golden / "x.npz"), gaussian(golden / "y.npz")) ==
        doctest::Approx(277.522397984913).epsilon(1e-9).scale(0));
  auto const images = NpzFile{golden / "x.npz"}.bytes("arr_0");
  CHECK(images.first == Shape{2, 2, 2, 3});
  for (std::size_t i = 0; i < 24; ++i) CHECK(images.second[i] == i);
}

TEST_CASE("stored arrays of other types are read as numbers, what cannot be read is named") {
  auto const path = golden / "stored.npz";
  auto const file = NpzFile{path};
  CHECK(file.numbers("n").shape() == Shape{2});
  CHECK(file.numbers("n")[1] == 4);
  CHECK(distance(file.numbers("mu"), NpzFile{golden / "x.npz"}.numbers("mu")) < 1e-6);
  CHECK(distance(file.numbers("sigma"), NpzFile{golden / "x.npz"}.numbers("sigma")) == 0);
  CHECK(file.has("f"));
  CHECK_FALSE(file.has("g"));
  check_fails<ErrorCode::format>([&] { file.numbers("f"); }, {"stored.npz:f", "Fortran's", "row by row"});
  check_fails<ErrorCode::format>([&] { file.numbers("bad"); }, {"stored.npz:bad", "<c16", "<f8"});
  check_fails<ErrorCode::format>([&] { file.numbers("none"); }, {"stored.npz:none", "array"});
  check_fails<ErrorCode::format>([&] { file.bytes("mu"); }, {"stored.npz:mu", "<f4", "|u1"});
}

TEST_CASE("statistics that are written come back to the bit, with what they are of") {
  TempFolder const folder;
  auto const path = folder.path() / "statistics.npz";
  auto const of_x = read_statistics(golden / "x.npz");
  write_statistics(path, {of_x.mean, of_x.covariance, "resnet20, 32 × 32", 300});
  auto const back = read_statistics(path, "resnet20, 32 × 32");
  CHECK(same_bits(back.mean, of_x.mean));
  CHECK(same_bits(back.covariance, of_x.covariance));
  CHECK(back.features == "resnet20, 32 × 32");
  CHECK(back.count == 300);
  auto const g = gaussian(path);
  CHECK(same_bits(g.mean_tensor(), of_x.mean));
  CHECK(same_bits(g.covariance_tensor(), of_x.covariance));
  check_fails<ErrorCode::config>([&] { read_statistics(path, "inception, 299 × 299"); },
                                 {"statistics.npz", "resnet20", "inception", "one network"});
  check_fails<ErrorCode::format>([&] { read_statistics(path, "", true); }, {"mu_s"});
}

TEST_CASE("an archive that lies is rejected") {
  TempFolder const folder;
  auto const deflated = golden / "x.npz", stored = golden / "stored.npz";
  auto const damaged = changed(folder, deflated, [](Bytes& bytes) { bytes[200] ^= std::byte{0x40}; });
  check_fails<ErrorCode::format>(
      [&] {
        auto const file = NpzFile{damaged};
        file.numbers("mu"), file.numbers("sigma");
      },
      {"changed.npz", "damaged"});
  auto const longer = changed(folder, stored, [](Bytes& bytes) {
    auto const at = place(bytes, "'shape': (24, 24)");
    bytes[at + 10] = std::byte{'9'};
  });
  check_fails<ErrorCode::format>([&] { NpzFile{longer}.numbers("sigma"); },
                                 {"bytes of data", "4608", "(94, 24)"});
  auto const negative = changed(folder, stored, [](Bytes& bytes) {
    auto const at = place(bytes, "'shape': (24, 24)");
    bytes[at + 10] = std::byte{'-'};
  });
  check_fails<ErrorCode::format>([&] { NpzFile{negative}.numbers("sigma"); }, {"shape", "-4, 24"});
  auto const other =
      changed(folder, stored, [](Bytes& bytes) { bytes[place(bytes, "NUMPY")] = std::byte{'X'}; });
  check_fails<ErrorCode::format>([&] { NpzFile{other}.numbers("mu"); }, {"first bytes", "NUMPY"});
  auto const cut = changed(folder, deflated, [](Bytes& bytes) { bytes.resize(bytes.size() - 30); });
  check_fails<ErrorCode::format>([&] { NpzFile{cut}; }, {"changed.npz", "zip archive"});
  auto const bomb = changed(folder, deflated, [](Bytes& bytes) {
    auto const entry = place(bytes, "PK\1\2");
    for (std::size_t i = 24; i < 28; ++i) bytes[entry + i] = std::byte{0x7f};
  });
  check_fails<ErrorCode::format>([&] { NpzFile{bomb}; }, {"size of", "deflated bytes can hold"});
  NpzWriter uneven;
  uneven.add("mu", Tensor<double>{{3}, 1.0});
  uneven.add("sigma", Tensor<double>{{3, 2}, 1.0});
  uneven.write(folder.path() / "uneven.npz");
  check_fails<ErrorCode::format>([&] { read_statistics(folder.path() / "uneven.npz"); },
                                 {"uneven.npz", "(3)", "(3, 2)"});
}
