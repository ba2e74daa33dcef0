// SPDX-License-Identifier: MIT
#include <consistency/consistency.hpp>
#include <consistency/core/version.hpp>

int main() { return consistency::version == EXPECTED_VERSION ? 0 : 1; }
