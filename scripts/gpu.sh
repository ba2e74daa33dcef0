#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Prepares, on a machine without a GPU, all that one with a GPU and no network needs, and runs it there.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: scripts/gpu.sh pack [--architecture 90] [--folder DIR]
       scripts/gpu.sh run [--folder DIR] [--out DIR] [--only a,b] [--rows a,b]
  pack   builds the CUDA backend's tests, its side of bench/cuda and the Fashion-MNIST programs for that architecture
         (90: H100, H200) and puts them with their libraries and the images into DIR (default build/gpu-pack; under 60 MB)
  run    runs them, in under ten minutes, and prints one table; files go to --out (default ./gpu-results)
  --only steps of: tests, sanitizer, repeats, training, bench (default: all)
  --rows of bench (default: DDPM++, a training step of 64 and samples of 1 and 64, in float32 and bfloat16)
run needs the NVIDIA driver, the libraries of CUDA, cuBLAS and cuDNN (of a toolkit or of Python wheels), bash and coreutils; the
sanitizer needs compute-sanitizer, bench a python3 with PyTorch. What is missing is said in the table.
TEXT
}

fail() {
  echo "gpu.sh: $1" >&2
  usage >&2
  exit 2
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
command=${1:-}
case $command in
  pack | run) shift ;;
  --help | -h) usage; exit 0 ;;
  *) fail "expected pack or run, found: ${command:-nothing}" ;;
esac
architecture=90 folder=$root/build/gpu-pack out=./gpu-results only=tests,sanitizer,repeats,training,bench
rows=train_ddpmpp_b64,sample_b1,sample_b64,train_ddpmpp_b64+bfloat16,sample_b1+bfloat16,sample_b64+bfloat16
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --architecture | --folder | --out | --only | --rows)
      (($# >= 2)) || fail "$1 needs a value"
      declare "${1#--}=$2"
      shift 2
      ;;
    *) fail "unexpected argument: $1" ;;
  esac
done

pack() {
  command -v nvcc >/dev/null || fail "pack needs nvcc, which was not found"
  [[ $architecture =~ ^[0-9]+$ ]] || fail "--architecture: found $architecture, expected a number such as 90"
  "$root"/scripts/install-dependencies.sh
  local build=$root/build/gpu images=/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz program library
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS=-march=x86-64-v3 \
    -DCMAKE_CUDA_ARCHITECTURES="$architecture-real" -DCONSISTENCY_CUDA=ON -DCONSISTENCY_COMPILED=OFF \
    -DCONSISTENCY_MPI=OFF -DCONSISTENCY_INSTALL=OFF
  local programs=(tests/test_cuda bench/cuda/compare_ours_cuda examples/example_05_gpu
                  examples/fashion_mnist_train examples/fashion_mnist_sample)
  cmake --build "$build" --parallel "$(nproc)" --target "${programs[@]##*/}"
  rm -rf "$folder"
  mkdir -p "$folder"/{bin,lib,python/compare,python/cuda}
  for program in "${programs[@]}"; do
    strip -o "$folder/bin/${program##*/}" "$build/$program"
    while read -r library; do  # all but the C and C++ libraries and CUDA's, which that machine has
      [[ $library =~ lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s|cudart|cublas|cublasLt|cudnn.*)\.so ]] || cp -L "$library" "$folder/lib/"
    done < <(ldd "$build/$program" | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p')
  done
  cp "$root"/bench/compare/*.py "$folder/python/compare/"
  cp "$root"/bench/cuda/*.py "$folder/python/cuda/"
  cp "$images" "$folder/"
  cp "${BASH_SOURCE[0]}" "$folder/gpu.sh"
  local bytes
  bytes=$(du -sb "$folder" | cut -f1)
  ((bytes <= 60000000)) || fail "$folder holds $bytes bytes, more than 60,000,000"
  echo "$folder: $((bytes / 1000000)) MB. There: $(basename "$folder")/gpu.sh run --folder $(basename "$folder")"
}

# Where the libraries of CUDA may be: a toolkit, and wheels beside PyTorch.
library_path() {
  local wheels
  wheels=$(python3 -c 'import nvidia; print(*nvidia.__path__)' 2>/dev/null || true)
  local paths=("$folder/lib" /usr/local/cuda/lib64 /usr/local/cuda/lib) wheel
  for wheel in $wheels; do paths+=("$wheel"/*/lib); done
  (IFS=:; echo "${paths[*]}")
}

row() { printf '%-10s %-8s %5d s  %s\n' "$1" "$2" "$3" "$4" | tee -a "$out/table"; }
wanted() { [[ ,$only, == *,$1,* ]]; }

# Each test case is a process of its own, so that one that ends the device's context hides no other. $1: a folder for what
# they print, $2: how many at once, $3: seconds for each; then the command that runs test_cuda.
cases() {
  local into=$1 at_once=$2 limit=$3
  shift 3
  mkdir -p "$into"
  "$out"/bin/test_cuda --list-test-cases --no-intro --no-colors | sed -n '/^\[doctest\]\|^===/!p' | sort -u >"$into/cases"
  export into limit
  # shellcheck disable=SC2016
  nl -ba "$into/cases" | xargs --delimiter='\n' --max-procs="$at_once" --replace bash -c '
    line=$1; shift; number=$((${line%%$'"'\\t'"'*})); name=${line#*$'"'\\t'"'}
    timeout "$limit" "$@" --test-case="${name//,/?}" --no-colors >"$into/$number.log" 2>&1; status=$?
    if grep -q "skipped: no" "$into/$number.log"; then status=skipped; fi
    printf "%s\t%s\t%s\n" "$status" "$number" "$name"' case {} "$@" | sort -k2n >"$into/results"
}

# What the cases of folder $1 came to, as row $2.
report() {
  local into=$1 name=$2 seconds=$3 total bad
  total=$(wc -l <"$into/results")
  bad=$(grep -cv $'^0\t' "$into/results" || true)
  row "$name" "$([[ $bad == 0 && $total -gt 0 ]] && echo pass || echo FAIL)" "$seconds" "$((total - bad)) of $total cases"
  { grep -v $'^0\t' "$into/results" || true; } | while IFS=$'\t' read -r status number case; do
    echo "    $case: status $status"
    grep -E 'ERROR|FAILED|error:|=========  *(Invalid|Program|Race|Error|Uninit|Barrier)|values:|CHECK' "$into/$number.log" | head -n 6 | sed 's/^/        /' || true
  done
}

tests() {
  local start=$SECONDS
  cases "$out/tests" 8 80 "$out/bin/test_cuda"
  report "$out/tests" tests $((SECONDS - start))
  start=$SECONDS
  local status=pass
  "$out/bin/example_05_gpu" >"$out/example_05.log" 2>&1 || status=FAIL
  row example "$status" $((SECONDS - start)) "$(tail -n 1 "$out/example_05.log")"
}

sanitizer() {
  command -v compute-sanitizer >/dev/null || { row sanitizer skipped 0 "no compute-sanitizer"; return; }
  # Tests fail calls on purpose, and some need no GPU; kernels of others are not checked for races, which takes minutes.
  local start tool options=(--error-exitcode 9 --require-cuda-init no --report-api-errors no)
  for tool in memcheck "racecheck --kernel-name kernel_substring=consistency"; do
    start=$SECONDS
    # shellcheck disable=SC2086
    cases "$out/${tool%% *}" 16 75 compute-sanitizer --tool $tool "${options[@]}" --target-processes all "$out/bin/test_cuda"
    report "$out/${tool%% *}" "${tool%% *}" $((SECONDS - start))
  done
}

repeats() {
  local start=$SECONDS number bits=()
  for number in {1..20}; do
    "$out/bin/fashion_mnist_train" --device cuda --data "$folder"/*.gz --steps 30 --quiet --overwrite --seed 5 \
      --out "$out/repeat" >"$out/repeat.log" 2>&1 || true
    bits+=("$(sha256sum "$out/repeat/model.safetensors" 2>/dev/null || echo none)")
  done
  rm -rf "$out/repeat"
  number=$(printf '%s\n' "${bits[@]}" | sort -u | wc -l)
  row repeats "$([[ $number == 1 && ${bits[0]} != none ]] && echo pass || echo FAIL)" $((SECONDS - start)) \
    "$number different model(s) of 20 runs of 30 steps"
}

training() {
  local start=$SECONDS status=pass
  "$out/bin/fashion_mnist_train" --device cuda --data "$folder"/*.gz --minutes 3 --overwrite --out "$out/fashion" \
    >"$out/training.log" 2>&1 || status=FAIL
  row training "$status" $((SECONDS - start)) "$(grep '^Trained' "$out/training.log"), $out/fashion/samples_1step.png"
}

bench() {
  local start=$SECONDS status=pass
  python3 -c 'import torch' 2>/dev/null || { row bench skipped 0 "no PyTorch"; return; }
  python3 "$folder/python/compare/compare.py" --python python3 --ours "$out/bin/compare_ours_cuda" --device cuda --rounds 5 \
    --settings channels_last+eager --rows="$rows" --json "$out/bench.json" 2>&1 | tee "$out/bench.log" || status=FAIL
  row bench "$status" $((SECONDS - start)) "$out/bench.json"
}

run() {
  [[ -x $folder/bin/test_cuda ]] || fail "$folder holds no bin/test_cuda: run scripts/gpu.sh pack first"
  mkdir -p "$out"
  folder=$(realpath "$folder") out=$(realpath "$out")
  # PyTorch brings libraries of its own, so that ours are named to our programs alone.
  local program
  mkdir -p "$out/bin"
  : >"$out/table"
  for program in "$folder"/bin/*; do
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "'$(library_path)'" "'$program'" >"$out/bin/${program##*/}"
    chmod +x "$out/bin/${program##*/}"
  done
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo "nvidia-smi finds no GPU"
  local name pids=()
  if wanted tests; then tests; fi
  for name in training repeats sanitizer; do  # side by side: none of them is timed
    if wanted "$name"; then $name >"$out/$name.rows" 2>&1 & pids+=("$!"); fi
  done
  if ((${#pids[@]} > 0)); then wait "${pids[@]}"; fi
  for name in training repeats sanitizer; do
    if wanted "$name"; then cat "$out/$name.rows"; fi
  done
  if wanted bench; then bench; fi
  printf '\n'
  cat "$out/table"
  ! grep -q '^[a-z]* *FAIL ' "$out/table"
}

$command
