#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Gives every source file its form: clang-format 16 and, in its first two lines, the licence.
# usage: scripts/format.sh [--check]     --check changes nothing, names what is not in form and exits with 1
set -euo pipefail

case ${1:-} in
  '') check=false ;;
  --check) check=true ;;
  *) echo "usage: scripts/format.sh [--check]" >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v clang-format-16 >/dev/null || { echo "format.sh: needs clang-format-16 (apt-get install clang-format-16)" >&2; exit 1; }
mapfile -t cpp < <(git ls-files --cached --others --exclude-standard -- '*.hpp' '*.cpp' '*.cuh' '*.cu' '*.h' '*.c')
mapfile -t other < <(git ls-files --cached --others --exclude-standard -- '*.sh' '*.py' '*.cmake' '*CMakeLists.txt' .ci/run)
mapfile -t prose < <(git ls-files --cached --others --exclude-standard -- '*.md')
failed=0

# The licence comes first, after a line that must be the first: `#!`, or the pattern of tests/compile_fail.
for file in "${cpp[@]}" "${other[@]}"; do
  [[ -f $file ]] || continue  # deleted, and not yet known to git as such
  line="SPDX-License-Identifier: MIT"
  if head -n 2 "$file" | grep -q "$line"; then continue; fi
  if $check; then
    echo "$file: its first lines lack \`$line\`"
    failed=1
  else
    mark='#'
    if [[ $file =~ \.(hpp|cpp|cuh|cu|h|c)$ ]]; then mark='//'; fi
    if head -n 1 "$file" | grep -qE '^#!|^// SHOULD_FAIL: '; then
      sed -i "1a $mark $line" "$file"
    elif [[ -s $file ]]; then
      sed -i "1i $mark $line" "$file"
    fi
  fi
done

# Prose breaks at 100 columns; tables, code and pictures may be longer.
for file in "${prose[@]}"; do
  [[ -f $file ]] || continue
  sed -E '/^ *```/,/^ *```/s/.*//; s/^ *(\||!\[).*//' "$file" | LC_ALL=C.UTF-8 grep -nE '^.{101}' | sed "s|^|$file:|" || continue
  failed=1
done

if $check; then
  printf '%s\n' "${cpp[@]}" | xargs clang-format-16 --dry-run --Werror || failed=1
  if ((failed)); then
    echo "scripts/format.sh --check: run scripts/format.sh; prose is wrapped by hand" >&2
  fi
else
  printf '%s\n' "${cpp[@]}" | xargs clang-format-16 -i
fi
exit "$failed"
