#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Writes the CPU core as one header, consistency.hpp and all that it includes, Random123 too, to standard output. A program
# that includes it needs Eigen alone. The header is always header-only: it leaves the compiled core out.
# usage: scripts/amalgamate.sh [--random123 FOLDER] [HEADER]... >consistency.hpp
#   --random123 FOLDER   where Random123/philox.h is (default: /usr/include)
#   HEADER               further headers, such as consistency/editing/inpaint.hpp
set -euo pipefail

random123=/usr/include
headers=(consistency/consistency.hpp)
while (($# > 0)); do
  case $1 in
    --random123) random123=${2:?--random123 needs a folder}; shift ;;
    -*) echo "usage: scripts/amalgamate.sh [--random123 FOLDER] [HEADER]... >consistency.hpp" >&2; exit 2 ;;
    *) headers+=("$1") ;;
  esac
  shift
done
include=$(cd "$(dirname "${BASH_SOURCE[0]}")/../include" && pwd)
for header in "$random123/Random123/philox.h" "${headers[@]/#/$include/}"; do
  [[ -f $header ]] || { echo "amalgamate.sh: $header was not found" >&2; exit 1; }
done

LC_ALL=C awk -v include="$include" -v random123="$random123" -v headers="${headers[*]}" '
function fail(words) { print "amalgamate.sh: " words > "/dev/stderr"; failed = 1; exit 1 }
function exists(path,   line, found) { found = (getline line < path) >= 0; close(path); return found }

# Ours once, without what each file says of itself. depth: how many conditions enclose a line; compiled: the depth of
# the one that asks for the compiled core, while it holds.
function ours(name,   path, line, part) {
  if (name in seen) return
  seen[name] = 1
  path = include "/" name
  if (!exists(path)) fail(path " was not found")
  while ((getline line < path) > 0) {
    if (line ~ /^#pragma once/ || line ~ /SPDX-License-Identifier/) continue
    if (line ~ /^# *if/) depth++
    if (line ~ /^#ifdef CONSISTENCY_COMPILED$/) compiled = depth
    if (line ~ /^# *(else|elif|endif)/ && depth == compiled) compiled = 0
    if (line ~ /^# *endif/) depth--
    if (line !~ /^# *include/) { print line; continue }
    part = line
    sub(/^# *include *[<"]/, "", part)
    sub(/[>"].*/, "", part)
    if (part ~ /^consistency\// && compiled) print "#error \"consistency: this one header is without the compiled core\""
    else if (part ~ /^consistency\//) ours(part)
    else if (part ~ /^Random123\//) theirs(random123 "/" part, 1)
    else if (!(part in standard)) {
      if (depth == 0) standard[part] = 1
      print line
    }
  }
  close(path)
}

# Files of Random123 whole, with their licence: once where every compiler reads them, in no condition but a guard,
# else wherever they are asked for.
function theirs(path, always,   line, part, level, guarded) {
  if (path in seen) return
  if (always) seen[path] = 1
  open[path] = 1
  while ((getline line < path) > 0) {
    if (line ~ /^ *# *if/ && ++level == 1) guarded = line ~ /^#ifndef _/
    if (line ~ /^ *# *endif/) level--
    part = line
    if (sub(/^ *# *include *"/, "", part)) {
      sub(/".*/, "", part)
      part = substr(path, 1, match(path, /[^\/]*$/) - 1) part
      if (exists(part) && !(part in open)) { theirs(part, always && level <= guarded); continue }
    }
    print line
  }
  close(path)
  delete open[path]
}

BEGIN {
  print "// SPDX-License-Identifier: MIT"
  print "// The CPU core of consistency as one header, written by scripts/amalgamate.sh. MIT licence; the parts of Random123"
  print "// bear their own."
  print "#pragma once"
  count = split(headers, list, " ")
  for (k = 1; k <= count; ++k) ours(list[k])
}' </dev/null
