#!/bin/bash
# Builds deeptf against every supported TensorFlow in throw-away environments and runs the tests of the ops.
#   tests/smoke_tensorflow_releases.sh [RELEASE ...]      default: one patch release of 2.16 to 2.21
# Takes about five minutes and 1.5 GB of disk for each release. PYTHON chooses the interpreter.
set -u
releases=("$@")
[ ${#releases[@]} -gt 0 ] || releases=(2.16.2 2.17.1 2.18.1 2.19.1 2.20.0 2.21.0)
root=$(cd "$(dirname "$0")/.." && pwd)
failed=0
for release in "${releases[@]}"; do
  folder=$(mktemp -d)
  (
    set -e
    git -C "$root" archive HEAD | tar -x -C "$folder"
    "${PYTHON:-python3}" -m venv "$folder/venv"
    pip=("$folder/venv/bin/pip" -q --disable-pip-version-check)
    DEEPTF_TENSORFLOW=$release "${pip[@]}" install "$folder[cpu]" pytest
    cd "$folder"
    venv/bin/pytest -q -m "not slow" tests/test_ops*.py
  ) > "$folder/log" 2>&1
  status=$?
  echo "TensorFlow $release: $([ $status = 0 ] && echo passed || echo FAILED), $(tail -1 "$folder/log")"
  [ $status = 0 ] || { failed=1; tail -40 "$folder/log"; }
  rm -rf "$folder"
done
exit $failed
