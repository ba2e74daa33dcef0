#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds Debian packages of the committed tree: libconsistency-dev, consistency-tools, consistency-doc. Needs debhelper
# and what scripts/packaging/debian/control names. DEB_BUILD_OPTIONS=noopt builds in less time, to look.
# DEB_BUILD_PROFILES=pkg.consistency.notools leaves the programs out, and what they need.
# usage: scripts/debian.sh FOLDER [ARGUMENT OF dpkg-buildpackage]...     (default: --build=binary; --build=all: the pages alone)
set -euo pipefail

(($# > 0)) || { echo "usage: scripts/debian.sh FOLDER [ARGUMENT OF dpkg-buildpackage]..." >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
number() { sed -n "s/^#define CONSISTENCY_VERSION_$1 //p" include/consistency/core/version.hpp; }
version=$(number MAJOR).$(number MINOR).$(number PATCH)

tree=$out/consistency-$version
rm -rf "$tree"
mkdir "$tree"
git archive HEAD | tar -x -C "$tree"
mv "$tree/scripts/packaging/debian" "$tree/debian"
# Debian's own list of changes says what ours says, once: where to read it.
cat >"$tree/debian/changelog" <<END
consistency ($version) unstable; urgency=medium

  * Version $version: see CHANGELOG.md.

 -- $(sed -n 's/^Maintainer: //p' "$tree/debian/control")  $(git log -1 --format=%cD)
END
cd "$tree"
dpkg-buildpackage --no-sign "${@:---build=binary}"
cd "$out"
ls -- *.deb
