#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing, builds preset test and runs all tests. Arguments go to ctest: scripts/test.sh -L io
# The CUDA backend's kernels run on the CPU there; tests that need a GPU are skipped and counted.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/install-dependencies.sh
cmake --preset test
cmake --build --preset test --parallel "$(nproc)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
ctest --preset test --parallel "$(nproc)" --output-on-failure "$@" | tee "$log" || status=$?
echo "Skipped without a device or MPI: $(grep -c '\*\*\*Skipped' "$log") tests"
exit "$status"
