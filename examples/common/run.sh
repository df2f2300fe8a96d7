#!/bin/sh
# Trains the model of an example, freezes it and tests it on the held-out frames. Each example has
# this script as a link, run.sh; what it writes goes into the folder run/ beside the link.
set -eu
mkdir -p "$(dirname "$0")/run"
cd "$(dirname "$0")/run"
deeptf train ../input.json
deeptf freeze -o model.pb
deeptf test -m model.pb -s ../data/validation -n 0 -d held_out
