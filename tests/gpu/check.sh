#!/usr/bin/env bash
# Proves the CUDA kernels on a machine with a GPU and writes one JSON file with every finding.
#
#   tests/gpu/check.sh kernels REPORT   # the kernels: nvcc and CMake alone; under three minutes
#   tests/gpu/check.sh sessions REPORT  # in ONNX Runtime: needs PyTorch (CUDA) and onnxruntime-gpu
#   tests/gpu/check.sh tools REPORT     # compute-sanitizer
#   tests/gpu/check.sh all REPORT       # these three
#
# A part adds to what the last `kernels` or `all` found. BUILD names the build folder (build/gpu),
# PYTHON the interpreter (python3), CONFORM options of `onnx-acts conform` (--quick, --jobs 8), LIMIT
# the seconds that a step may take (3600). For ONNX Runtime of CUDA 13, PyTorch's nvidia packages
# bring CUDA's libraries. Exit status 1: something is wrong.
set -euo pipefail
usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" | sed '$d' >&2; exit 2; }
[ $# = 2 ] || usage
part=$1 report=$2
case $part in kernels | sessions | tools | all) ;; *) usage ;; esac
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build/gpu}
python=${PYTHON:-python3}
findings=$build/findings
mkdir -p "$findings"
status=0

includes() { [ "$part" = "$1" ] || [ "$part" = all ]; }

# A command, for so long at most; Python's programs keep what they have written by then.
limited() { timeout --signal INT --kill-after 20 "${LIMIT:-3600}" "$@"; }

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

sanitize() {
  limited compute-sanitizer --tool "$1" --error-exitcode 1 "$build/gpu/gpu_kernels" --quick
}

# A sanitizer's step, where there is one and it knows this device.
check_with() {
  if ! command -v compute-sanitizer > /dev/null; then
    skip "$1" "compute-sanitizer is not installed"
    return
  fi
  local before=$status
  step "$1" sanitize "$1"
  if grep -q "Device not supported" "$findings/$1.log"; then
    rm "$findings/$1.status"
    status=$before
    skip "$1" "compute-sanitizer: device not supported"
  fi
}

# The folders of CUDA's libraries in PyTorch's packages; `conform` starts processes that need them.
cuda_libraries() {
  "$python" -c 'import glob, nvidia
print(*(p for root in nvidia.__path__ for p in glob.glob(root + "/*/lib")), sep=":")'
}

collect() { "$python" "$root/tests/gpu/collect.py" "$findings" "$report"; }

if includes kernels; then rm -f "$findings"/*; fi
step build build_targets
if [ "$status" != 0 ]; then
  echo "the build failed" >&2
  collect
  exit 1
fi
if includes kernels; then
  step kernels limited "$build/gpu/gpu_kernels" "$findings/kernels.json"
fi

if includes sessions; then
  export ONNX_ACTS_LIBRARY=$build/libonnx_acts_ops.so PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH}
  export ONNX_ACTS_REQUIRE_GPU=1 LD_LIBRARY_PATH
  LD_LIBRARY_PATH=$(cuda_libraries):${LD_LIBRARY_PATH:-}
  cd "$root"
  # shellcheck disable=SC2086  # CONFORM is a list of options
  step conform limited "$python" "$root/tests/gpu/with_cuda.py" conform --runtimes cuda \
    --json "$findings/conform.json" ${CONFORM:-}
  # What test_conforms tries, and more, the step before has tried.
  step sessions limited "$python" "$root/tests/gpu/with_cuda.py" pytest -q -p no:cacheprovider \
    tests/gpu/test_cuda_sessions.py -k "not test_conforms"
  step bench limited "$python" "$root/tests/gpu/bench_cuda.py" "$findings/bench.json"
fi

if includes tools; then
  for tool in memcheck racecheck initcheck; do check_with "$tool"; done
fi

collect
exit "$status"
