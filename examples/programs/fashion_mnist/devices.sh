#!/bin/sh
# SPDX-License-Identifier: MIT
# devices.sh TRAIN SAMPLE FOLDER: a run that is stopped on a GPU goes on to its end on the CPU, and what it has learned is
# drawn on both.
set -eu
train=$1 sample=$2 folder=$3

fail() {
  echo "devices.sh: $1"
  exit 1
}

rm -rf "$folder"
"$train" --device cuda --data checkerboard --steps 20000 --batch 8 --set mlp_width=8 --set mlp_layers=1 --out "$folder" &
run=$!
until [ -e "$folder/latest.png" ]; do  # the first picture comes before the first step
  kill -0 "$run" 2>/dev/null || break
  sleep 0.1
done
kill "$run" 2>/dev/null || true
status=0
wait "$run" || status=$?
[ "$status" -eq 130 ] || fail "the run on the GPU ended with $status, not by its interruption"

said=$("$train" --device cpu --resume --out "$folder")
echo "$said"
case $said in
  *", from step "*) ;;
  *) fail "the run on the CPU began anew" ;;
esac
for device in cpu cuda; do
  "$sample" --device "$device" --model "$folder/model.safetensors" --count 16 --out "$folder/$device.png"
done
rm -rf "$folder"
