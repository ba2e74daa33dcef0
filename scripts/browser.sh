#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the page examples/browser as a folder that any web server can hand out.
#   scripts/browser.sh [FOLDER]          (default: build/browser)
#   python3 -m http.server -d FOLDER     then open http://localhost:8000
# Needs Emscripten 3.1.50 or later (Debian 13's `emscripten`; Debian 12's 3.1.6 has a C++ library without
# parts of C++20), Eigen, Random123, nlohmann/json and xxHash in $INCLUDES (default: /usr/include).
# scripts/browser_test.py tries the page in Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/browser} from=${INCLUDES:-/usr/include}
mkdir -p "$out/include"

# Not /usr/include itself, which has the headers of another C library.
for header in Random123 nlohmann xxhash.h xxh3.h; do ln -sfn "$from/$header" "$out/include/$header"; done

# Eigen 3.4 has no packets of WebAssembly; Emscripten has SSE2's names for them. What Eigen asks for besides,
# it does not have: MMX's header, of which nothing is used, and assembler, which Eigen leaves out for the
# number that it makes of g++ "5.13". xxHash would ask for NEON's names (SIMD= in the environment builds
# without all this: 1.9 times as slow).
simd=${SIMD--msimd128 -msse2 -D__MMINTRIN_H -fgnuc-version=5.13 -DXXH_HAS_INCLUDE(x)=0}
functions=_malloc,_free,_load,_image_at,_mask_at,_draw,_between,_fill

# shellcheck disable=SC2086
em++ -std=c++20 -O3 -fwasm-exceptions -Wall -Wextra ${simd:--DEIGEN_DONT_VECTORIZE} \
  -Iinclude -isystem "$from/eigen3" -isystem "$out/include" examples/browser/garments.cpp -o "$out/garments.js" \
  -sMODULARIZE -sEXPORT_NAME=Garments -sENVIRONMENT=web -sFILESYSTEM=0 -sALLOW_MEMORY_GROWTH \
  -sEXPORTED_FUNCTIONS=$functions -sEXPORTED_RUNTIME_METHODS=HEAPU8,HEAPF32,UTF8ToString
rm -r "$out/include"
cp examples/browser/index.html examples/models/fashion_mnist.safetensors "$out"
ls -l "$out"
