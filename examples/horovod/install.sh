#!/bin/sh
# Builds Horovod 0.28.1 for the TensorFlow of the present Python environment and installs it: two to
# three minutes on two cores, seconds where the wheel of an earlier call is in the cache.
#
#   . .venv/bin/activate && examples/horovod/install.sh [FOLDER OF WHEELS]
#
# With MPI where mpicxx is there (Debian: apt-get install openmpi-bin libopenmpi-dev), else with Gloo
# alone; on GPUs with NCCL for HOROVOD_GPU_OPERATIONS=NCCL.
set -eu
version=0.28.1
python=${PYTHON:-python3}
tensorflow=$(TF_CPP_MIN_LOG_LEVEL=3 $python -c 'import tensorflow; print(tensorflow.__version__)' 2>/dev/null) || {
    echo "install.sh: TensorFlow must be installed in the environment of $python" >&2
    exit 1
}
mpi=gloo
if command -v mpicxx >/dev/null; then mpi=mpi; fi
tag=tensorflow-$tensorflow-$mpi${HOROVOD_GPU_OPERATIONS:+-$HOROVOD_GPU_OPERATIONS}
wheels=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/deeptf/horovod}/$tag
$python -m pip install -q -U pip setuptools wheel packaging cloudpickle psutil pyyaml
$python -m pip install -q cmake

build() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    $python -m pip download -q --no-deps --no-binary horovod --no-build-isolation -d "$work" "horovod==$version"
    tar -xf "$work/horovod-$version.tar.gz" -C "$work"
    case $tensorflow in
    2.1[0-8].*) ;;
    *) # the XLA operations do not compile any more; they matter for XLA on GPUs only
        sed -i '/xla_mpi_ops.cc/d' "$work/horovod-$version/horovod/tensorflow/CMakeLists.txt" ;;
    esac
    export HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_MXNET=1 HOROVOD_WITH_GLOO=1
    if [ $mpi = mpi ]; then export HOROVOD_WITH_MPI=1; else export HOROVOD_WITHOUT_MPI=1; fi
    # CMake 4 asks for the policy; headers of GCC 13 no longer include each other
    export CMAKE_POLICY_VERSION_MINIMUM=3.5 CXXFLAGS="${CXXFLAGS:-} -include stdexcept -include string -include cstdint"
    export LDFLAGS="${LDFLAGS:-} -s" MAKEFLAGS="${MAKEFLAGS:--j$(nproc)}"
    $python -m pip wheel --no-build-isolation --no-deps -w "$work/wheel" "$work/horovod-$version" >"$work/log" 2>&1 || {
        tail -n 50 "$work/log" >&2
        exit 1
    }
    mkdir -p "$wheels"
    mv "$work"/wheel/horovod-*.whl "$wheels/"
}

abi=$($python -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
ls "$wheels"/horovod-$version-"$abi"-*.whl >/dev/null 2>&1 || {
    echo "building Horovod $version ($tag): two to three minutes on two cores"
    build
}
$python -m pip install -q --no-deps --force-reinstall "$wheels"/horovod-$version-"$abi"-*.whl
$python -c 'import horovod.tensorflow as h; print("Horovod: MPI", h.mpi_built(), "Gloo", h.gloo_built())' 2>/dev/null || {
    echo "install.sh: Horovod is installed but cannot be imported; $python -c 'import horovod.tensorflow' says why" >&2
    exit 1
}
