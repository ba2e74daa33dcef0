# SPDX-License-Identifier: MIT
# Turns a Markdown page of the repository into one for Doxygen, which knows pages and headings by names that are unique:
#   # Title                        -> # Title {#docs_design}
#   ## The house                   -> ## The house {#docs_design--the-house}
#   [text](design.md#the-house)    -> [text](@ref docs_design--the-house)
#   [text](../examples/01.cpp)     -> [text](@ref examples_01_cpp), a page that scripts/docs.sh makes of the file
# usage: awk -v page=docs/design.md -v linked=FILE -f page.awk docs/design.md > …; appends the paths that are linked to FILE

function name(path) { gsub(/[^A-Za-z0-9]/, "_", path); sub(/_md$/, "", path); return path }

# As GitHub makes the anchor of a heading.
function slug(text) {
  gsub(/\[|\]\([^)]*\)|`/, "", text)
  text = tolower(text)
  gsub(/[^a-z0-9 _\200-\377-]/, "", text)
  gsub(/ /, "-", text)
  return text
}

# A path from the repository's root, of one from the page's folder.
function resolved(target,    parts, kept, n, i, count, path) {
  n = split(folder target, parts, "/")
  count = 0
  for (i = 1; i <= n; ++i) {
    if (parts[i] == "..") --count
    else if (parts[i] != "." && parts[i] != "") kept[++count] = parts[i]
  }
  path = kept[1]
  for (i = 2; i <= count; ++i) path = path "/" kept[i]
  return path
}

function link(target,    hash, anchor) {
  if (target ~ /^(https?|mailto):/) return target
  anchor = ""
  hash = index(target, "#")
  if (hash > 0) {
    anchor = substr(target, hash + 1)
    target = substr(target, 1, hash - 1)
  }
  target = target == "" ? page : resolved(target)
  if (target in index_of) target = index_of[target]  # a folder
  print target >> linked
  return "@ref " name(target) (anchor == "" ? "" : "--" anchor)
}

BEGIN {
  folder = page
  if (!sub(/[^\/]*$/, "", folder)) folder = ""
  index_of["docs"] = index_of["docs/concepts"] = "docs/README.md"
  index_of["docs/tutorials"] = "docs/tutorials/README.md"
  index_of["examples"] = "examples/README.md"
  index_of["bench"] = "bench/README.md"
}

/^ *```/ { code = !code; print; next }
code { print; next }

/^#+ / {
  text = $0
  sub(/^#+ /, "", text)
  level = index($0, " ") - 1
  print $0 " {#" name(page) (level == 1 ? "" : "--" slug(text)) "}"
  next
}

{
  rest = $0
  while (rest !~ /^ *\|/ && rest ~ /\[[^]]*$/ && (getline following) > 0) rest = rest " " following  # a link over two lines
  line = ""
  while (match(rest, /!?\[[^\]]*\]\([^)]*\)/)) {
    found = substr(rest, RSTART, RLENGTH)
    before = substr(rest, 1, RSTART - 1)
    rest = substr(rest, RSTART + RLENGTH)
    split_at = index(found, "](")
    target = substr(found, split_at + 2, length(found) - split_at - 2)
    open_ticks += gsub(/`/, "`", before)
    if (open_ticks % 2 == 1) line = line before found
    else if (found ~ /^!/) { sub(/^.*\//, "", target); line = line before substr(found, 1, split_at + 1) target ")" }
    else line = line before substr(found, 1, split_at + 1) link(target) ")"
  }
  print line rest
  open_ticks = rest == "" && line == "" ? 0 : open_ticks + gsub(/`/, "`", rest)  # code over two lines; a paragraph ends it
}
