#!/bin/sh
# Trains the model of an example, freezes it and tests it on the held-out frames: `./run.sh` that of
# input.json, `./run.sh fast` that of fast.json. Each example has this script as a link, run.sh; what
# it writes goes into the folder run/ (run_fast/) beside the link.
set -eu
place="$(dirname "$0")/run${1:+_$1}"
mkdir -p "$place"
cd "$place"
deeptf train "../${1:-input}.json"
deeptf freeze -o model.pb
deeptf test -m model.pb -s ../data/validation -n 0 -d held_out
