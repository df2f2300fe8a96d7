#!/bin/sh
# Trains the model of this example, freezes it and tests it on the held-out frames.
# Everything it writes goes into the folder run/ beside this script.
set -eu
mkdir -p "$(dirname "$0")/run"
cd "$(dirname "$0")/run"
deeptf train ../input.json
deeptf freeze -o model.pb
deeptf test -m model.pb -s ../data/validation -n 0 -d held_out
