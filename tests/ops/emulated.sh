#!/bin/sh
# Tests of ops on their GPU kernels, which run on the CPU here (op/core/cuda/emulation.h). Needs
# the package and its test tools installed; builds the kernels in BUILD, or in a folder that it
# removes.
#     tests/ops/emulated.sh [BUILD] [arguments of pytest]
. "$(dirname "$0")/../emulated_build.sh"
python - "$here/../../op" "$build" <<'END'
import subprocess, sys
import tensorflow as tf
source, build = sys.argv[1:]
flags = [flag for flag in tf.sysconfig.get_compile_flags() if not flag.startswith("-I")]
settings = {
    "DEEPTF_CUDA": "emulated",
    "TENSORFLOW_VERSION": tf.__version__,
    "TENSORFLOW_INCLUDE": tf.sysconfig.get_include(),
    "TENSORFLOW_COMPILE": ";".join(flags),
    "TENSORFLOW_LINK": ";".join(tf.sysconfig.get_link_flags()),
}
options = [f"-D{name}={value}" for name, value in settings.items()]
subprocess.run(["cmake", "-G", "Ninja", "-S", source, "-B", build, *options], check=True)
subprocess.run(["cmake", "--build", build, "--target", "deeptf_cuda"], check=True)
END
for file in "$here"/test_*.py; do
    case $file in
    */test_gpu_coverage.py | */test_host.py | */test_library.py | */test_threads.py) ;; # of the host
    *) set -- "$file" "$@" ;;
    esac
done
# Runs of ops by the hundred take minutes under emulation: of attention they are for one form.
pytest -q --emulated "$build/libdeeptf_emulated.so" \
    -k "not (attention_op and (threads or (against_differences and not form7 and not rows)))" "$@"
