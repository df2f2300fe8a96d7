#!/bin/bash
# Called by conda build: the ordinary build, with the compiler (CXX) and TensorFlow of the recipe.
set -eu
"$PYTHON" -m pip install . --no-deps --no-build-isolation -vv
