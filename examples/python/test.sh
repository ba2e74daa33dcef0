#!/bin/sh
# SPDX-License-Identifier: MIT
# test.sh LIBRARY MODEL DRAW: test.py with the first python3 that has NumPy.
set -eu
for python in python3 /usr/bin/python3; do
  if "$python" -c "import numpy" 2>/dev/null; then
    cd "$(dirname "$0")"
    CONSISTENCY_LIBRARY=$1 PYTHONDONTWRITEBYTECODE=1 exec "$python" test.py "$2" "$3"
  fi
done
echo "skipped: no python3 with NumPy"
