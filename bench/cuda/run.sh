#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Times this library and PyTorch 2.x side by side on one GPU: same networks, weights, batches and precision.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: bench/cuda/run.sh [--rows a,b] [--rounds N] [--settings a,b] [--kernels] [--json FILE]
  --rows a,b      such as train_ddpmpp_b64,sample_b1+bfloat16 (default: a training step of DDPM++ at batch 64 and 512, one step of
                  sampling at 1, 64 and 512, 18 steps of Heun at 64; each in float32 and in bfloat16)
  --rounds N      alternating rounds whose median counts (default 9)
  --settings a,b  of PyTorch; the fastest is found first and compared (default: channels_last+eager and
                  channels_last+compile+max-autotune, which records CUDA graphs and takes minutes)
  --kernels       also lists the ten kernels that each side spends longest in; needs nsys
  --json FILE     also writes the numbers there
Needs nvcc and one GPU; without, ends with status 3 and does nothing. PyTorch is found as by bench/compare/run.sh.
TEXT
}

if [[ ${1:-} == --help || ${1:-} == -h ]]; then
  usage
  exit 0
fi
if ! nvidia-smi --list-gpus 2>/dev/null | grep --quiet '^GPU'; then
  echo "bench/cuda/run.sh: there is no NVIDIA GPU here: nothing was measured" >&2
  exit 3
fi
if ! command -v nvcc >/dev/null; then
  echo "bench/cuda/run.sh: nvcc is not here: nothing was measured" >&2
  exit 3
fi
exec "$(dirname "${BASH_SOURCE[0]}")"/../compare/run.sh --device cuda "$@"
