#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the documentation site, build/docs/html/index.html: the pages, the tutorials and the reference of the headers. A
# warning of Doxygen's is an error, and so is a link to a page or a heading that is not there.
# usage: scripts/docs.sh
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v doxygen >/dev/null || scripts/install-dependencies.sh doxygen
command -v doxygen >/dev/null || { echo "docs.sh: needs doxygen 1.9.4 or later" >&2; exit 1; }

pages=build/docs/pages
rm -rf build/docs
mkdir -p $pages
linked=build/docs/linked

name() { sed 's/[^A-Za-z0-9]/_/g; s/_md$//' <<<"$1"; }  # as docs/site/page.awk names pages

# Every page that there is.
mapfile -t markdown < <(git ls-files --cached --others --exclude-standard -- '*.md' ':!.*' ':!docs/site' |
  while read -r page; do [[ ! -f $page ]] || echo "$page"; done)
: >$linked
for page in "${markdown[@]}"; do
  LC_ALL=C awk -v page="$page" -v linked=$linked -f docs/site/page.awk "$page" >"$pages/$(name "$page").md"
done
mv $pages/README.md $pages/main.md

# Files that pages link to are pages too; one that is not there has none, and its link is an error.
sources=()
while read -r path; do
  [[ -f $path && $path != *.md ]] || continue
  sources+=("$path")
  { printf '# %s {#%s}\n\n```cpp\n' "$path" "$(name "$path")"; cat "$path"; printf '```\n'; } >"$pages/$(name "$path").md"
done < <(sort -u $linked)

# The tree of pages: those of a folder are under its index, in the order of its links.
subpages() { # PAGE SUBPAGE...
  mapfile -t ordered < <({ grep -oE '@ref [A-Za-z0-9_]+' "$pages/$1.md" | cut -c6-; printf '%s\n' "${@:2}"; } |
    awk 'NR == FNR { member[$0]; next } $0 in member && !seen[$0]++' <(printf '%s\n' "${@:2}") -)
  { printf '\n<div class="subpages">\n\n'; printf -- '- @subpage %s\n' "${ordered[@]}"; printf '\n</div>\n'; } >>"$pages/$1.md"
}
documentation=() tutorials=() programs=() others=()
for page in "${markdown[@]}"; do
  case $page in
    README.md | docs/README.md) ;;
    docs/tutorials/README.md) documentation+=("$(name "$page")") ;;
    docs/tutorials/*) tutorials+=("$(name "$page")") ;;
    docs/*) documentation+=("$(name "$page")") ;;
    examples/README.md) ;;
    examples/*) programs+=("$(name "$page")") ;;
    *) others+=("$(name "$page")") ;;
  esac
done
for path in "${sources[@]}"; do
  case $path in
    examples/*) programs+=("$(name "$path")") ;;
    *) others+=("$(name "$path")") ;;
  esac
done
subpages docs_README "${documentation[@]}" "${others[@]}"
subpages docs_tutorials_README "${tutorials[@]}"
subpages examples_README "${programs[@]}"

doxygen docs/site/Doxyfile

# Doxygen has looked at links to pages and headings; here at all that its pages point to.
missing=0
cd build/docs/html
while IFS=: read -r page target; do
  file=${target%%#*}
  [[ -z $file || -e $file ]] || { echo "docs.sh: $page links to $target, which is not there" >&2; missing=1; }
done < <(grep -oE '(href|src|data)="[^"]*"' ./*.html | sed -E 's/(href|src|data)="([^"]*)"/\2/' |
  grep -vE ':(https?:|mailto:|javascript:|data:)' | sort -u)
exit $missing
