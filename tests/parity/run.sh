#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh PROGRAM SCRIPT NAME FOLDER: a network with PyTorch's numbers and with this library's. Skipped without PyTorch.
set -eu
program=$1 script=$2 name=$3 folder=$4
python3 -c "import torch" 2>/dev/null || { echo "skipped: no python3 with PyTorch"; exit 0; }
mkdir -p "$folder"
trap 'rm -f "$folder/$name.pt"' EXIT
python3 "$(dirname "$0")/$script" "$name" "$folder/$name.pt"
"$program" "$name" "$folder/$name.pt"
