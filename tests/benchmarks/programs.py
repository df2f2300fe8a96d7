"""The programs whose training is timed: how each is started and how it tells its times.

A program runs in a folder of its own with its input in input.json; all get the same input but for
keys that only they know. The times are those of the whole loop, reading of batches and reports
included. Of deepmd-kit's two PyTorch backends only the "exportable" one (3.2 and later) compiles
models, and not all of them. That takes minutes, some of them after the first step: a run of a few
steps times the compiler.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = "deeptf"
DEEPTF_TIMES = re.compile(r"step +(\d+) \| ([\d.]+) (ms)/step")
DEEPMD_TIMES = re.compile(r"Batch +(\d+): total wall time = ([\d.]+) (s)")
DEEPTF_NODES = re.compile(r"embedding tables: (\d+) nodes")
ONLY_DEEPTF = ("embedding",)  # keys of the descriptor


class TrainingFailed(Exception):
    """A program ended with an error or told no times; the message ends with its output."""


@dataclass(frozen=True)
class Program:
    """A program that trains; settings of one program share its `peer` name."""

    name: str
    peer: str
    command: tuple[str, ...]
    times: re.Pattern = DEEPMD_TIMES  # step; ms per step, or s since the line before
    compiled: bool = False

    def script(self, script: dict[str, Any]) -> dict[str, Any]:
        """Return the input with what this program needs and without what it does not know."""
        changed = copy.deepcopy(script)
        if self.peer != OURS:
            for key in ONLY_DEEPTF:
                changed["model"]["descriptor"].pop(key, None)
        if self.compiled:
            changed["training"]["enable_compile"] = True
        return changed


@dataclass(frozen=True)
class Result:
    """What a run tells."""

    times: list[float]  # ms per step, of each part but the first
    memory: float  # MB at most
    nodes: int | None  # of deeptf's embedding tables


def programs(tensorflow: str | None, pytorch: str | None, threads: int) -> list[Program]:
    """Return deeptf and the peers whose `dp` program is given."""
    train = ("train", "input.json", "--skip-neighbor-stat")
    deeptf = (sys.executable, "-m", "deeptf", *train, "--threads", str(threads))
    found = [Program(OURS, OURS, deeptf, DEEPTF_TIMES)]
    if tensorflow:
        found.append(Program("dp --tf", "deepmd-kit TensorFlow", (tensorflow, "--tf", *train)))
    if pytorch:
        peer = "deepmd-kit PyTorch"
        found.append(Program("dp --pt", peer, (pytorch, "--pt", *train)))
        exportable = (pytorch, "--pt-expt", *train)
        found.append(Program("dp --pt-expt, compiled", peer, exportable, compiled=True))
    return found


def train(program: Program, script: dict[str, Any], folder: Path, threads: int) -> Result:
    """Train in a new folder `folder`; the steps before the second report do not count."""
    text, memory = run(program, script, folder, threads)
    times = read_times(text, program.times, script["training"]["disp_freq"])
    if not times:
        raise TrainingFailed(f"{' '.join(program.command)} told no times:\n{text[-2000:]}")
    nodes = DEEPTF_NODES.findall(text)
    return Result(times, memory, int(nodes[-1]) if nodes else None)


def read_times(text: str, pattern: re.Pattern, part: int) -> list[float]:
    """Return ms per step of the intervals that begin after the first `part` steps of each run."""
    times, before = [], 0
    for step, number, unit in pattern.findall(text):
        if int(step) <= before:
            before = 0  # the next run
        if before >= part:
            ms = float(number) if unit == "ms" else 1e3 * float(number) / (int(step) - before)
            times.append(ms)
        before = int(step)
    return times


def environment(threads: int) -> dict[str, str]:
    """Return the environment in which every program uses that many threads."""
    names = (
        "OMP_NUM_THREADS",
        "DP_INTRA_OP_PARALLELISM_THREADS",
        "DP_INTER_OP_PARALLELISM_THREADS",
    )
    return {**os.environ, **dict.fromkeys(names, str(threads))}


def run(program: Program, script: dict[str, Any], folder: Path, threads: int) -> tuple[str, float]:
    """Run a program in a new folder `folder`; return its output and its largest memory in MB."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "input.json").write_text(json.dumps(program.script(script)))
    log = folder / "log"
    with open(log, "w") as stream:
        process = subprocess.Popen(
            program.command, cwd=folder, env=environment(threads), stdout=stream, stderr=stream
        )
        _, status, usage = os.wait4(process.pid, 0)
    text = log.read_text()
    if status:
        raise TrainingFailed(f"{' '.join(program.command)} failed:\n{text[-2000:]}")
    return text, usage.ru_maxrss / 1024
