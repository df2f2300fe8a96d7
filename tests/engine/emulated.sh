#!/bin/sh
# Tests of the engine on GPU kernels, which run on the CPU here (op/core/cuda/emulation.h), from
# Python and, where DEEPTF_LAMMPS is set, in LAMMPS. Needs the package and its test tools installed;
# builds the library in BUILD, or in a folder that it removes.
#     tests/engine/emulated.sh [BUILD] [arguments of pytest]
. "$(dirname "$0")/../emulated_build.sh"
cmake -G Ninja -S "$here/../../op" -B "$build" -DDEEPTF_CUDA=emulated -DDEEPTF_MARCH=native
cmake --build "$build" --target deeptf_engine_cuda
pytest -q --emulated-engine "$build/libdeeptf_engine_cuda.so" "$here/test_gpu.py" \
    "$here/test_spins_in_the_engine.py" "$here/../lammps/test_run_on_gpu.py" \
    "$here/../lammps/test_spins.py" "$@"
