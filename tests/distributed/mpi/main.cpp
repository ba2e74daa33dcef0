// SPDX-License-Identifier: MIT
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <consistency/core/parallel.hpp>
#include <consistency/distributed/mpi_environment.hpp>

// Every rank runs every test case; mpirun fails where one does.
int main(int argc, char** argv) {
  auto const environment = consistency::MpiEnvironment{};
  consistency::set_threads(1);
  return doctest::Context{argc, argv}.run();
}
