#!/bin/bash
# Called by conda build: the ordinary build, with the compiler (CXX) and TensorFlow of the recipe.
set -eu
export DEEPTF_MARCH=${DEEPTF_MARCH:-x86-64-v3}
"$PYTHON" -m pip install . --no-deps --no-build-isolation -vv
