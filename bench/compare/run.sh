#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Times this library beside PyTorch 2.x, OpenVINO and ONNX Runtime: same cores, networks, weights and batches, float32.
# bench/cuda/run.sh starts it with --device cuda for one GPU.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: bench/compare/run.sh [--rows a,b] [--rounds N] [--threads N] [--settings a,b] [--json FILE]
  --rows a,b      such as sample_b1, sample_b32, small_sample_b1, small_sample_b64, train_b32, train_ddpmpp_b8, train_demo_b64,
                  demo_sample_b64 (default: these), train_ncsnpp_b8, ncsnpp_sample_b1, two_steps_b1, demo_two_steps_b1,
                  heun_b1, small_heun_b1, with any batch
  --rounds N      alternating rounds whose median counts (default 9)
  --threads N     of both (default: one per core)
  --settings a,b  of the peers, such as channels_last+eager, onnx+openvino, onnx+onnxruntime; the fastest is found first and
                  compared (default: all; minutes)
  --json FILE     also writes the numbers there
The peers are installed once, under ${XDG_CACHE_HOME:-~/.cache}/consistency/torch-venv. CONSISTENCY_TORCH_PYTHON names another
python that has them.
TEXT
}

options=()
program=compare/compare_ours
while (($# > 0)); do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --kernels | --rows=* | --rounds=* | --threads=* | --settings=* | --json=*) options+=("$1"); shift ;;
    --device | --rows | --rounds | --threads | --settings | --json)
      (($# >= 2)) || { echo "run.sh: $1 needs a value" >&2; exit 2; }
      options+=("$1=$2")
      if [[ $1 == --device && $2 == cuda ]]; then program=cuda/compare_ours_cuda; fi
      shift 2
      ;;
    *) echo "run.sh: unexpected argument: $1" >&2; usage >&2; exit 2 ;;
  esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
venv=${XDG_CACHE_HOME:-$HOME/.cache}/consistency/torch-venv

has_torch() { "$1" -c 'import torch; assert torch.__version__.startswith("2.")' 2>/dev/null; }

# torch.compile needs Python.h beside g++.
"$root"/scripts/install-dependencies.sh python3-venv python3-dev
python=${CONSISTENCY_TORCH_PYTHON:-$venv/bin/python}
if [[ -n ${CONSISTENCY_TORCH_PYTHON:-} ]]; then
  has_torch "$python" || { echo "run.sh: CONSISTENCY_TORCH_PYTHON: $python has no PyTorch 2.x" >&2; exit 1; }
elif ! has_torch "$python"; then
  echo "Installing PyTorch from PyPI into $venv"
  if ! { python3 -m venv "$venv" && "$venv"/bin/pip install --quiet 'torch>=2,<3' && has_torch "$python"; }; then
    echo "PyPI did not give PyTorch: taking Debian's python3-torch, an older release"
    "$root"/scripts/install-dependencies.sh python3-torch libopenblas0-openmp
    python=/usr/bin/python3
    # Debian's PyTorch starts with one thread, which peer.py sets, and with an OpenBLAS whose own threads fight PyTorch's.
    LD_LIBRARY_PATH=$(dirname "$(dpkg-query --listfiles libopenblas0-openmp | grep --max-count=1 'libopenblas\.so\.0$')")
    export LD_LIBRARY_PATH
    "$python" -c 'import torch' || { echo "run.sh: neither PyPI nor Debian gave PyTorch" >&2; exit 1; }
  fi
fi

engines=(openvino onnxruntime onnx onnxscript)  # the last two write what the first two run
if [[ $program == compare/compare_ours ]] && ! "$python" -c "import ${engines[0]}$(printf ', %s' "${engines[@]:1}")" 2>/dev/null; then
  if [[ $python == "$venv"/* ]]; then
    echo "Installing ${engines[*]} from PyPI into $venv"
    "$venv"/bin/pip install --quiet "${engines[@]}" || echo "run.sh: PyPI did not give all of them: compared with PyTorch alone" >&2
  else
    echo "run.sh: $python lacks some of ${engines[*]}: compared with PyTorch alone" >&2
  fi
fi

(cd "$root" && cmake --preset release >/dev/null)
(cd "$root" && cmake --build --preset release --parallel "$(nproc)" --target "$(basename "$program")")
exec "$python" "$root"/bench/compare/compare.py --python "$python" --ours "$root"/build/release/bench/$program \
  "${options[@]}"
