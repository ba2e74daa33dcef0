#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# clang-tidy 19 over every header, in one unit, and over the sources that differ from a revision. Any advice is an error.
# usage: scripts/tidy.sh [--since REVISION]     (default: where this branch left main)
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
since=
case ${1:-} in
  '') ;;
  --since) since=${2:?--since needs a revision} ;;
  *) echo "usage: scripts/tidy.sh [--since REVISION]" >&2; exit 2 ;;
esac
if [[ -z $since ]]; then
  for main in origin/main main; do
    if since=$(git merge-base HEAD "$main" 2>/dev/null); then break; fi
  done
fi

scripts/install-dependencies.sh clang-tidy-19
commands=build/dev/compile_commands.json
[[ -f $commands ]] || cmake --preset dev >/dev/null
files=("$PWD/build/dev/tests/headers/every_header.cpp")
while read -r source; do
  # What no preset compiles has no flags: programs that must not compile, another package's.
  if [[ -f $source ]] && grep -q "\"file\": \"$PWD/$source\"" "$commands"; then files+=("$PWD/$source"); fi
done < <(git diff --name-only "${since:-HEAD}" -- '*.cpp')

# GCC's warning flags are unknown to Clang, and signs are left to GCC (CMakeLists.txt).
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 1 clang-tidy-19 -p build/dev --quiet --warnings-as-errors='*' \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-sign-conversion 2> >(grep -v 'warnings generated' >&2)
echo "clang-tidy has no advice for the headers and $((${#files[@]} - 1)) sources"
