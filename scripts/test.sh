#!/usr/bin/env bash
# Installs what is missing, builds preset dev and runs all tests. Arguments go to ctest: scripts/test.sh -L io
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/install-dependencies.sh
cmake --preset dev
cmake --build --preset dev --parallel "$(nproc)"
ctest --preset dev --parallel "$(nproc)" --output-on-failure "$@"
