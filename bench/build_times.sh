#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Where a build's time went: seconds of its steps by target, and the longest files, by Ninja's log of the last build.
# usage: bench/build_times.sh [BUILD_FOLDER [COUNT]]     (default: build/dev, 15 files)
# Steps that ran side by side count in full: on two cores the sum is up to twice the time that passed.
set -euo pipefail

folder=${1:-$(dirname "${BASH_SOURCE[0]}")/../build/dev} count=${2:-15}
[[ -f $folder/.ninja_log ]] || { echo "build_times.sh: $folder has no .ninja_log: build there by Ninja first" >&2; exit 2; }

steps() { awk -F '\t' 'NR > 1 { seconds[$4] = ($2 - $1) / 1000 } END { for (file in seconds) print seconds[file], file }' "$folder/.ninja_log"; }
steps | awk '{ target = $2; if (sub(/^.*CMakeFiles\//, "", target)) sub(/\.dir\/.*/, "", target); else target = "links and other steps"
               sum[target] += $1; files[target]++; all += $1 }
             END { for (target in sum) printf "%8.1f s %4d  %s\n", sum[target], files[target], target
                   printf "%8.1f s %4d  all\n", all, NR }' | sort -rn
echo
steps | sort -rn | head -n "$count" | awk '{ printf "%8.1f s  %s\n", $1, $2 }'
