#!/usr/bin/env bash
# Proves the CUDA kernels on a machine with a GPU and writes one JSON file with every finding.
#
#   tests/gpu/check.sh kernels REPORT   # part 1: nvcc and CMake alone; under three minutes
#   tests/gpu/check.sh all REPORT       # and sessions: needs PyTorch (CUDA) and onnxruntime-gpu
#
# BUILD names the build folder (build/gpu), PYTHON the interpreter (python3). For ONNX Runtime of
# CUDA 13, PyTorch's nvidia packages bring CUDA's libraries. Exit status 1: something is wrong.
set -euo pipefail
usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2; exit 2; }
[ $# = 2 ] || usage
part=$1 report=$2
case $part in kernels | all) ;; *) usage ;; esac
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build/gpu}
python=${PYTHON:-python3}
findings=$build/findings
mkdir -p "$findings"
rm -f "$findings"/*
status=0

# Runs a step; its status and the end of what it printed become a finding. `set -e` is off inside,
# so the functions below join their commands with &&.
step() {
  local name=$1 code=0 start=$SECONDS
  shift
  echo "== $name"
  "$@" 2>&1 | tee "$findings/$name.log" || code=$?
  echo "$code $((SECONDS - start))" > "$findings/$name.status"
  [ "$code" = 0 ] || status=1
}

# Records that a step was left out.
skip() {
  echo "== $1: skipped: $2"
  echo "$2" > "$findings/$1.skipped"
}

capability() { nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d . ; }

configure() {
  cmake -S "$root/custom_ops" -B "$1" -DONNX_ACTS_CUDA=ON -DONNX_ACTS_TESTS=ON \
    "-DONNX_ACTS_CUDA_ARCHITECTURES=${ARCHITECTURES:-$(capability)}" -DCMAKE_BUILD_TYPE=Release \
    "-DPython_EXECUTABLE=$(command -v "$python")" "${@:2}"
}

build_targets() {
  configure "$build" &&
    cmake --build "$build" --parallel "$(nproc)" --target onnx_acts_ops gpu_kernels
}

# The same kernels with other numbers of packs in flight, for their times.
measure_packs() {
  configure "$build/packs$1" "-DCMAKE_CUDA_FLAGS=-DONNX_ACTS_PACKS_IN_FLIGHT=$1" &&
    cmake --build "$build/packs$1" --parallel "$(nproc)" --target gpu_kernels &&
    "$build/packs$1/gpu/gpu_kernels" "$findings/packs$1.json"
}

sanitize() {
  compute-sanitizer --tool "$1" --error-exitcode 1 "$build/gpu/gpu_kernels" --quick
}

collect() { "$python" "$root/tests/gpu/collect.py" "$findings" "$report"; }

step build build_targets
if [ "$status" != 0 ]; then
  echo "the build failed" >&2
  collect
  exit 1
fi
step kernels "$build/gpu/gpu_kernels" "$findings/kernels.json"

if [ "$part" = all ]; then
  export ONNX_ACTS_LIBRARY=$build/libonnx_acts_ops.so PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH}
  export ONNX_ACTS_REQUIRE_GPU=1
  cd "$root"
  step conform "$python" "$root/tests/gpu/with_cuda.py" conform --runtimes cuda \
    --json "$findings/conform.json"
  step sessions "$python" "$root/tests/gpu/with_cuda.py" pytest -q -p no:cacheprovider \
    tests/gpu/test_cuda_sessions.py
  step bench "$python" "$root/tests/gpu/bench_cuda.py" "$findings/bench.json"
  for packs in 1 4; do step "packs$packs" measure_packs "$packs"; done
  for tool in memcheck racecheck initcheck; do
    if command -v compute-sanitizer > /dev/null; then
      step "$tool" sanitize "$tool"
    else
      skip "$tool" "compute-sanitizer is not installed"
    fi
  done
fi

collect
exit "$status"
