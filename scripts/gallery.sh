#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Draws what a model of fashion_mnist_train does: samples, edits of test images, interpolations, nearest neighbours.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/gallery.sh --model FILE --features FILE [--teacher FILE] [--colours DATA MODEL] [--out DIR]
  --model FILE          model.safetensors of fashion_mnist_train, or of cifar10_distill on fashion-mnist
  --features FILE       what fashion_mnist_classifier has written
  --teacher FILE        model.safetensors of cifar10_train_edm on fashion-mnist, to stand beside
  --colours DATA MODEL  also colorizes: test images of CIFAR-10's folder, by a model of cifar10_distill or cifar10_train
  --out DIR             where the pictures go (default: ./gallery)
TEXT
}

fail() {
  echo "gallery.sh: $1" >&2
  usage >&2
  exit 2
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
out=gallery model='' features='' teacher='' data='' colours=''
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --model | --features | --teacher | --out)
      (($# >= 2)) || fail "$1 needs a value"
      printf -v "${1#--}" %s "$(realpath -m "$2")"
      shift 2
      ;;
    --colours)
      (($# >= 3)) || fail "$1 needs two values"
      data=$(realpath "$2") colours=$(realpath "$3")
      shift 3
      ;;
    *) fail "unexpected argument: $1" ;;
  esac
done
[[ -n $model && -n $features ]] || fail "--model and --features must be given"
mkdir -p "$out"
out=$(realpath "$out")

"$root"/scripts/install-dependencies.sh
(cd "$root" && cmake --preset release)
(cd "$root" && cmake --build --preset release --parallel "$(nproc)" --target fashion_mnist_sample fashion_mnist_evaluate cifar10_sample edit)
programs=$root/build/release/examples
cd "$out"

draw() { "$programs"/fashion_mnist_sample --model "$model" --count 36 --seed 5 "$@"; }
draw --steps 1 --out one_evaluation.png
draw --steps 2 --out two_evaluations.png
draw --steps 6 --out six_evaluations.png --trajectory trajectory_multistep.png
if [[ -n $teacher ]]; then
  "$programs"/cifar10_sample --model "$teacher" --count 36 --seed 5 --steps 35 --out teacher.png --trajectory trajectory_teacher.png
fi

change() { "$programs"/edit --count 5 --seed 1 --points 160 --results "$@"; }
change 4 --model "$model" --task inpaint --first 20 --out inpaint.png
change 4 --model "$model" --task super-resolution --factor 4 --first 30 --out super_resolution.png
change 4 --model "$model" --task stroke --factor 4 --first 40 --out stroke.png
change 4 --model "$model" --task denoise --first 50 --out denoise.png
change 8 --model "$model" --task interpolate --out interpolate.png
if [[ -n $colours ]]; then
  change 4 --task colorize --data "$data" --model "$colours" --out colorize.png
fi
"$programs"/fashion_mnist_evaluate --features "$features" --model "$model" --count 1000 --steps 1 --neighbours neighbours.png
ls -l "$out"
