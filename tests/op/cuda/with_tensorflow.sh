#!/bin/sh
# Tests deeptf with TensorFlow on the GPUs of this machine: ops on their GPU kernels, where nodes of
# training run, a run on the GPU against one on the CPU, and two workers where there are two GPUs.
# It needs Python with venv, a C++ compiler, nvcc (CUDA 11.8 or newer) and a network for pip, and
# takes about a quarter of an hour; check.sh beside it tests the kernels without TensorFlow.
#
#   tests/op/cuda/with_tensorflow.sh [FOLDER]
#
# FOLDER (default: with_tensorflow in the current folder) gets the environment, the runs and log.txt
# with all output. An environment that is there already is taken as it is: FOLDER/venv or, from
# ENVIRONMENT, another one with deeptf, TensorFlow and pytest. Prints a line for each check and
# `N passed, N failed`; the exit status is 0 where all have passed.
# shellcheck disable=SC2317  # functions that check calls
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
folder=${1:-with_tensorflow}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
environment=${ENVIRONMENT:-$folder/venv}
log=$folder/log.txt
: >"$log"
export TF_CPP_MIN_LOG_LEVEL=2
export NVIDIA_TF32_OVERRIDE=0 # products of float32 numbers keep all their bits

passed=0
failed=0
finish() {
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
    exit
}
check() { # name, command ...
    name=$1
    shift
    echo "== $name" >>"$log"
    start=$(date +%s)
    if "$@" >"$folder/output" 2>&1; then
        result=ok
        passed=$((passed + 1))
    else
        result=FAILED
        failed=$((failed + 1))
    fi
    cat "$folder/output" >>"$log"
    printf '%-6s %s, %s s\n' $result "$name" $(($(date +%s) - start))
    if [ $result = FAILED ]; then tail -20 "$folder/output"; fi
    [ $result = ok ]
}

make_environment() {
    python3 -m venv "$environment" &&
        "$environment/bin/pip" install -q "${root}[gpu]" pytest ase
}
built_for_gpus() {
    "$environment/bin/deeptf" --version | tee /dev/stderr | grep -q 'for GPUs of sm_'
}
train() { # folder of the run, command ...
    run=$1
    shift
    mkdir -p "$run"
    cp "$folder/input.json" "$run/" && (cd "$run" && "$@" train input.json)
}

same_curves() { # two runs
    "$python" - "$1" "$2" <<'END'
import sys
import numpy as np
one, other = (np.genfromtxt(f"{run}/lcurve.out", names=True) for run in sys.argv[1:])
for name in one.dtype.names:
    scale = abs(one[name]).max()
    difference = abs(other[name] - one[name]).max()
    print(f"{name}: largest difference {difference:.1e}, of {scale:.1e}")
    assert np.isnan(scale) or difference < 1e-6 * scale, name
END
}

if [ ! -x "$environment/bin/python" ]; then
    check "install deeptf[gpu]" make_environment || finish
fi
python=$environment/bin/python
PATH=$environment/bin:$PATH
export PATH
cd "$folder" || exit 1 # not in the sources, whose package has no libraries
gpus=$("$python" -c 'import tensorflow as tf; print(len(tf.config.list_physical_devices("GPU")))' 2>>"$log")
if [ "${gpus:-0}" = 0 ]; then
    echo "no GPU: skipped; TensorFlow in $environment sees none, see $log"
    exit 1
fi
echo "TensorFlow sees $gpus GPUs"

check "GPU kernels are built" built_for_gpus
check "ops on GPU kernels" "$python" -m pytest -q -p no:cacheprovider -m "not on_host" "$root/tests/ops"
check "nodes of training have GPU kernels" env PYTHONPATH="$root/tests" "$python" "$root/tests/gpu_coverage.py"
check "nodes of training run on the GPU" env PYTHONPATH="$root/tests" "$python" "$root/tests/gpu_coverage.py" --placed
check "an input" env PYTHONPATH="$root/tests" "$python" -c 'import small_run, pathlib
small_run.write_run(pathlib.Path(), {"training/training_data/systems": [str(pathlib.Path("system").resolve())]})' || finish
check "a run on the CPU" train cpu env CUDA_VISIBLE_DEVICES=-1 deeptf
check "a run on the GPU" train gpu deeptf
check "both learn the same" same_curves cpu gpu
if [ "$gpus" -lt 2 ]; then
    echo "two workers: skipped, there is one GPU"
    finish
fi
check "install Horovod" "$root/examples/horovod/install.sh"
check "two workers on GPUs" train workers_gpu horovodrun --gloo -np 2 deeptf
check "two workers on the CPU" train workers_cpu env CUDA_VISIBLE_DEVICES=-1 horovodrun --gloo -np 2 deeptf
check "the workers learn the same" same_curves workers_cpu workers_gpu
finish
