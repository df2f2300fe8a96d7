#!/bin/sh
# Trains the water example on N workers of this machine (default 2), freezes the model and tests it.
#
#   examples/horovod/run.sh [N] [mpi | gloo]
#
# What it writes goes into the folder run/ beside this file.
set -eu
workers=${1:-2}
launcher=${2:-mpi}
mkdir -p "$(dirname "$0")/run"
cd "$(dirname "$0")/run"
case $launcher in
mpi) mpirun --oversubscribe -np "$workers" deeptf train ../input.json ;;
gloo) horovodrun --gloo -np "$workers" deeptf train ../input.json ;;
*)
    echo "run.sh: the launcher must be mpi or gloo, got $launcher" >&2
    exit 1
    ;;
esac
deeptf freeze -o model.pb
deeptf test -m model.pb -s ../../water/data/validation -n 0 -d held_out
