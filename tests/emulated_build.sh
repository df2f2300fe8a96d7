# Read by the scripts that test emulated GPU kernels (op/core/cuda/emulation.h): `here` is the
# folder of the script; `build` is BUILD, which is taken off its arguments, or a folder that is
# removed at its end.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ $# -gt 0 ]; then
    build=$1
    shift
else
    build=$(mktemp -d)
    trap 'rm -rf "$build"' EXIT
fi
