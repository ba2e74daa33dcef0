// SPDX-License-Identifier: MIT
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <consistency/distributed/mpi_communicator.hpp>

#include "../../support/fails.hpp"

using namespace consistency;
using namespace consistency::test;

namespace {

/// Number i of rank r, of any sign and size, so that another order of addition gives other bits.
template <class S>
S number(int r, std::size_t i) {
  auto const x = static_cast<int>((i * 2654435761U + static_cast<std::size_t>(r) * 40503U) % 10007U) - 5003;
  auto const exponent = static_cast<int>((i + static_cast<std::size_t>(r)) % 3) - 1;
  return static_cast<S>(std::ldexp(x, exponent * std::numeric_limits<S>::digits));
}

template <class S>
void check_sum(std::size_t count) {
  auto c = MpiCommunicator{};
  std::vector<S> mine(count), expected(count);
  for (std::size_t i = 0; i < count; ++i) {
    mine[i] = number<S>(c.rank(), i);
    expected[i] = number<S>(0, i);
    for (int r = 1; r < c.size(); ++r) expected[i] += number<S>(r, i);
  }
  c.sum(std::span<S>{mine});
  CHECK(mine == expected);
}

}  // namespace

TEST_CASE("numbers of all ranks are added in the order of ranks, whatever their count") {
  for (auto const count : {0U, 1U, 2U, 3U, 4U, 5U, 1000U, 1001U, (1U << 22U) + 7U}) {
    CAPTURE(count);
    check_sum<float>(count);
    check_sum<double>(count);
  }
}

TEST_CASE("ranks 0, 1, … add 1, 2, … to themselves") {
  auto c = MpiCommunicator{};
  auto numbers = std::array{1.0F + static_cast<float>(c.rank()), 10.0F, -1.0F};
  c.sum(std::span<float>{numbers});
  auto const n = static_cast<float>(c.size());
  CHECK(numbers == std::array{n * (n + 1) / 2, 10 * n, -n});
}

TEST_CASE("every rank gathers the number of each") {
  auto c = MpiCommunicator{};
  std::vector<double> all(static_cast<std::size_t>(c.size())), expected(all.size());
  std::iota(expected.begin(), expected.end(), 0.5);
  c.gather(0.5 + c.rank(), all);
  CHECK(all == expected);
}

TEST_CASE("every rank gets the bytes of the one that broadcasts") {
  auto c = MpiCommunicator{};
  for (int from = 0; from < c.size(); ++from) {
    auto numbers = std::array{c.rank(), 10 * c.rank()};
    c.broadcast(std::as_writable_bytes(std::span{numbers}), from);
    CHECK(numbers == std::array{from, 10 * from});
  }
}

TEST_CASE("a communicator that was moved goes on where it was") {
  auto a = MpiCommunicator{};
  auto b = std::move(a);
  a = std::move(b);
  std::vector<double> all(static_cast<std::size_t>(a.size()));
  a.gather(1, all);
  CHECK(all == std::vector<double>(all.size(), 1.0));
}

TEST_CASE("what MPI rejects is a distributed_error with MPI's own words") {
  auto c = MpiCommunicator{};
  auto numbers = std::array{0};
  check_fails<ErrorCode::distributed>(
      [&] { c.broadcast(std::as_writable_bytes(std::span{numbers}), c.size()); }, {"MPI_Irecv", "rank"});
}

TEST_CASE("a rank that is late by less than the deadline is waited for") {
  auto c = MpiCommunicator{MPI_COMM_WORLD, {.seconds = std::numeric_limits<double>::infinity()}};
  std::vector<double> all(static_cast<std::size_t>(c.size()));
  if (c.rank() == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1500});
  c.gather(1, all);
  CHECK(all == std::vector<double>(all.size(), 1.0));
}

TEST_CASE("a deadline of no time is rejected before MPI is asked for anything") {
  check_fails<ErrorCode::config>(
      [] {
        MpiCommunicator{MPI_COMM_WORLD, {.seconds = 0}};
      },
      {"Deadline", "more than 0"});
}
