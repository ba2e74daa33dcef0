#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The sampling core and model files on Windows: compiles README's program and one that draws with the shipped
# model by MinGW-w64, runs both under Wine, and holds the numbers drawn beside those of this system's g++.
#   scripts/windows.sh [FOLDER]    (default: build/windows)
# Needs g++-mingw-w64-x86-64-posix and wine64, and the headers that scripts/install-dependencies.sh brings.
# FLAGS (default: -O2, which is SSE2) may name wider registers: see docs/platforms.md first.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build/windows}
mkdir -p "$out/include"
out=$(cd "$out" && pwd)
export WINEPREFIX=$out/wine WINEDEBUG=-all
wine=$(command -v wine64 || echo /usr/lib/wine/wine64)

# Not /usr/include itself, which has the headers of another C library.
for header in Random123 nlohmann xxhash.h xxh3.h; do ln -sfn "/usr/include/$header" "$out/include/$header"; done
awk '/^```cpp/ { inside = 1; next } /^```/ { inside = 0 } inside' README.md >"$out/readme.cpp"

read -ra flags <<<"-std=c++20 ${FLAGS:--O2} -Wall -Wextra -Iinclude -isystem /usr/include/eigen3 -isystem $out/include"
for program in readme draw; do
  source=$out/readme.cpp
  [ "$program" = draw ] && source=scripts/windows/draw.cpp
  x86_64-w64-mingw32-g++-posix "${flags[@]}" -static "$source" -o "$out/$program.exe"
  g++ "${flags[@]}" "$source" -o "$out/$program" -pthread
  ls -l "$out/$program.exe"
done

echo "README's program:"
"$wine" "$out/readme.exe" | tr -d '\r' | tee "$out/readme.windows.txt"
"$out/readme" >"$out/readme.linux.txt"
echo "here:"
cat "$out/readme.linux.txt"

rm -f "$out"/*.safetensors
echo left by a process that was killed >"$out/.writing-windows.safetensors-1"
cp examples/models/fashion_mnist.safetensors "$out"
cd "$out"
"$wine" draw.exe fashion_mnist.safetensors windows.safetensors | tr -d '\r'
./draw fashion_mnist.safetensors linux.safetensors
[ ! -e .writing-windows.safetensors-1 ] || { echo "what was left is there still" && exit 1; }
python3 - <<'END'
import array
drawn = [array.array("f", open(f"{system}.safetensors", "rb").read()[-4 * 16 * 784:]) for system in ("windows", "linux")]
print("largest difference of a pixel between the systems:", max(abs(a - b) for a, b in zip(*drawn)))
END
