#!/bin/sh
# SPDX-License-Identifier: MIT
# pipeline.sh PROGRAMS FOLDER: a teacher, its student and a model without a teacher, of a few steps each, on grey images of
# Fashion-MNIST and on a folder of pictures; what is drawn from them and edited, what they would cost, and how a run goes on.
set -eu
programs=$1 folder=$2

fail() {
  echo "pipeline.sh: $1"
  exit 1
}

rm -rf "$folder"
mkdir -p "$folder"
small="--set channels=8 --set embedding=16 --set attention=7 --set heads=1 --batch 8 --quiet"
# shellcheck disable=SC2086  # options are words
{
  "$programs"/cifar10_train_edm --data fashion-mnist $small --steps 4 --classes --out "$folder/teacher"
  "$programs"/cifar10_distill --data fashion-mnist $small --steps 3 --micro-batch 4 --teacher "$folder/teacher/model.safetensors" \
    --out "$folder/student"
  "$programs"/cifar10_train --data fashion-mnist $small --steps 5 --set method=grid --set metric=l2 --set s1=4 --out "$folder/ct"
}
"$programs"/cifar10_sample --model "$folder/teacher/model.safetensors" --steps 3 --class 3 --guidance 1.5 --out "$folder/a.png"
"$programs"/cifar10_sample --model "$folder/student/model.safetensors" --steps 2 --count 9 --seed 4 --out "$folder/b.png" --json \
  > "$folder/figures.jsonl"
grep -q '"count":9,.*"seed":4,.*"steps":2,"times":\[80.0,' "$folder/figures.jsonl" || fail "no figures of what was drawn"
grep -aq tEXtSeed "$folder/b.png" || fail "the picture does not say its seed"
for task in inpaint super-resolution stroke denoise interpolate; do
  "$programs"/edit --model "$folder/student/model.safetensors" --task $task --points 4 --count 2 --results 2 --out "$folder/edit.png"
  grep -aq tEXtTimes "$folder/edit.png" || fail "no picture of $task that says its times"
  rm "$folder/edit.png"
done
images=/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
"$programs"/fashion_mnist_classifier --data $images --steps 5 --quiet --out "$folder/classifier.safetensors"
"$programs"/fashion_mnist_evaluate --data $images --features "$folder/classifier.safetensors" --model "$folder/ct/model.safetensors" \
  --count 200 --steps 1 --neighbours "$folder/edit.png" --json > "$folder/figures.jsonl"
grep -q '"count":200,.*"recall":.*"set":"1 evaluation"' "$folder/figures.jsonl" || fail "no figures"
[ -s "$folder/edit.png" ] || fail "no neighbours"
for run in teacher student ct; do
  for file in "$folder/$run"/samples_*step.png "$folder/$run"/report.html "$folder/$run"/training.png "$folder/$run"/model.safetensors; do
    [ -s "$file" ] || fail "no $file"
  done
done

# The pictures that were drawn are a data set, too: of 3 sizes, which --size makes one.
mkdir "$folder/pictures"
cp "$folder/a.png" "$folder/b.png" "$folder/teacher/training.png" "$folder/pictures"
# shellcheck disable=SC2086
"$programs"/cifar10_train --data "$folder/pictures" --size 16x24 $small --set attention=8 --set batch=2 --steps 2 --out "$folder/own"
[ -s "$folder/own/images.safetensors" ] || fail "the decoded pictures were not kept"
# shellcheck disable=SC2086
said=$("$programs"/cifar10_train --data "$folder/pictures" --size 16x24 $small --set attention=8 --set batch=2 --minutes 1 --dry-run \
  --out "$folder/nothing")
echo "$said"
case $said in
  *"GFLOP per image"*"MB at most"*"images/s"*) ;;
  *) fail "--dry-run says no cost" ;;
esac
[ ! -e "$folder/nothing" ] || fail "--dry-run has written a folder"

# What does not fit is said.
refused() {
  status=0
  said=$("$@" 2>&1) || status=$?
  [ "$status" -ne 0 ] || fail "accepted: $*"
}
refused "$programs"/cifar10_train --data "$folder/nowhere" --steps 1 --out "$folder/x"
case $said in *nowhere*) ;; *) fail "no name in: $said" ;; esac
refused "$programs"/cifar10_distill --data fashion-mnist --steps 1 --out "$folder/x"
case $said in *"--teacher"*) ;; *) fail "no advice in: $said" ;; esac
refused "$programs"/cifar10_distill --data fashion-mnist --steps 1 --teacher "$folder/ct/model.safetensors" --out "$folder/x"
case $said in *denoising*) ;; *) fail "no reason in: $said" ;; esac
refused "$programs"/cifar10_train --data "$folder/pictures" --steps 1 --out "$folder/x"
case $said in *"two sizes"*) ;; *) fail "no sizes in: $said" ;; esac
refused "$programs"/fashion_mnist_evaluate --data $images --features "$folder/ct/model.safetensors"
case $said in *level0.conv1.weight*) ;; *) fail "no tensor in: $said" ;; esac
refused "$programs"/fashion_mnist_evaluate --data $images --network inception --features "$folder/classifier.safetensors"
case $said in *Conv2d_1a_3x3*) ;; *) fail "no tensor of Inception in: $said" ;; esac
refused "$programs"/edit --model "$folder/teacher/model.safetensors" --out "$folder/x.png"
case $said in *denoiser*) ;; *) fail "no reason in: $said" ;; esac
refused "$programs"/edit --model "$folder/student/model.safetensors" --task colorize --out "$folder/x.png"
case $said in *"1 channel"*) ;; *) fail "no channels in: $said" ;; esac
rm -rf "$folder"
