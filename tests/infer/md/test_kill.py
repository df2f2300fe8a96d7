"""A process that is killed in a run, and the run that goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from md_runs import write_cluster
from small_network import write_network

import deeptf

LONGEST = 120  # s


@pytest.mark.slow
def test_kill_9(tmp_path):
    model = write_network(tmp_path / "model.pb", names=("H", "He"))
    told = ["md", str(write_cluster(tmp_path)), "-m", str(model), "-e", "npt", "-T", "50"]
    told += ["--log-every", "2", "--frame-every", "5", "--threads", "1"]
    command = [sys.executable, "-m", "deeptf", *told]
    environment = os.environ | {"PYTHONPATH": str(Path(deeptf.__file__).parents[1])}

    def start(*more):
        return subprocess.Popen(
            [*command, *more], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL
        )

    process = start("-n", "1000000", "-o", "killed")
    until = time.monotonic() + LONGEST
    while not (tmp_path / "killed.restart").exists() and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = sum(1 for _ in open(tmp_path / "killed.log")) * 2
    steps = str(done + 20)
    again, whole = (
        start("-n", steps, "-o", "killed", "--restart"),
        start("-n", steps, "-o", "whole"),
    )
    assert again.wait(LONGEST) == whole.wait(LONGEST) == 0
    for end in ("log", "extxyz"):
        one, other = ((tmp_path / f"{name}.{end}").read_bytes() for name in ("whole", "killed"))
        assert one == other
