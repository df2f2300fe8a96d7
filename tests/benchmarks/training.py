"""Milliseconds per training step of deeptf, and of deepmd-kit beside it when its `dp` program is
given.

    python tests/benchmarks/training.py [--peer /path/to/dp] [--precision float32] [--rounds 3]
    python tests/benchmarks/training.py --types 5 --neighbors 100      # a made-up alloy
    python tests/benchmarks/training.py --input examples/aluminium/input.json
    python tests/benchmarks/training.py --profile                      # where the time goes

Without --types or --input the case is a made-up box of water. The programs run in turn (A B A B
...), each round a new process; the first third of the steps of a round is left out. Printed: median
and range over the other thirds of all rounds, the share of the speed of matrix products measured in
between (limit.py says how the work is counted), largest memory, ratio of medians.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from cases import alloy_case, input_case, water_case, with_steps
from limit import Work, measured_peak, work_of

PARTS = 3  # of a round; the first is left out
PROFILE_WARM_UP, PROFILE_STEPS = 10, 10
SMALLEST_SHARE = 0.005  # of an op in a profile
Times = list[float]  # ms per step


def run(command: list[str], folder: Path, threads: int) -> tuple[str, float]:
    """Run a program; return its output and its largest memory in MB."""
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "DP_INTRA_OP_PARALLELISM_THREADS": str(threads),
        "DP_INTER_OP_PARALLELISM_THREADS": str(threads),
    }
    log = folder / "log"
    with open(log, "w") as stream:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=stream, stderr=stream
        )
        _, status, usage = os.wait4(process.pid, 0)
    text = log.read_text()
    if status:
        raise SystemExit(f"{' '.join(command)} failed:\n{text[-2000:]}")
    return text, usage.ru_maxrss / 1024


def deeptf_round(folder: Path, threads: int) -> tuple[Times, float]:
    """Train with deeptf; return ms per step of the later parts and MB."""
    command = [sys.executable, "-m", "deeptf", "train", "input.json", "--skip-neighbor-stat"]
    text, memory = run([*command, "--threads", str(threads)], folder, threads)
    return [float(found) for found in re.findall(r"([\d.]+) ms/step", text)][1:], memory


def peer_round(dp: str, folder: Path, script: dict[str, Any], threads: int) -> tuple[Times, float]:
    """Train with deepmd-kit; return ms per step of the later parts and MB."""
    command = [dp, "--tf", "train", "input.json"]
    if not isinstance(script["model"]["descriptor"].get("sel", "auto"), str):
        command.append("--skip-neighbor-stat")
    text, memory = run(command, folder, threads)
    seconds = re.findall(r"total wall time = ([\d.]+) s", text)
    steps = script["training"]["disp_freq"]
    return [1e3 * float(found) / steps for found in seconds][1:], memory


def rounds(
    options: argparse.Namespace, script: dict[str, Any], precision: str, folder: Path
) -> tuple[dict[str, list], float]:
    """Run the programs and the matrix products in turn; return the results of every round and the
    median speed of the products in GFLOP/s.
    """
    results: dict[str, list] = {}
    peaks = []
    for _ in range(options.rounds):
        for name in ["deeptf"] + (["deepmd-kit"] if options.peer else []):
            work = folder / name
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            (work / "input.json").write_text(json.dumps(script))
            if name == "deeptf":
                result = deeptf_round(work, options.threads)
            else:
                result = peer_round(options.peer, work, script, options.threads)
            results.setdefault(name, []).append(result)
            print(f"{name:12s} {statistics.mean(result[0]):8.2f} ms/step", flush=True)
        peaks.append(measured_peak(precision, options.threads))
    return results, statistics.median(peaks)


def report(results: dict[str, list], work: Work, peak: float, threads: int) -> None:
    """Print medians, ranges, the share of the limit and the ratio."""
    print(f"\n{work}\nmatrix products on {threads} threads: {peak:.1f} GFLOP/s")
    head = f"{'median':>8s} {'least':>8s} {'most':>8s}   ms/step"
    print(f"{'':12s} {head} {'GFLOP/s':>9s} {'share':>7s} {'MB':>8s}")
    medians = {}
    for name, each in results.items():
        times = [time for parts, _ in each for time in parts]
        medians[name] = statistics.median(times)
        speed = 1e3 * work.gflop / medians[name]
        row = f"{medians[name]:8.2f} {min(times):8.2f} {max(times):8.2f} {speed:19.2f}"
        memory = max(memory for _, memory in each)
        print(f"{name:12s} {row} {100 * speed / peak:6.1f}% {memory:8.0f}")
    if "deepmd-kit" in medians:
        print(f"deeptf is {medians['deepmd-kit'] / medians['deeptf']:.2f} times as fast")


def profile(script: dict[str, Any], threads: int) -> None:
    """Print where the time of deeptf's steps goes."""
    from steps import prepared

    with prepared(script, threads) as steps:
        plain = statistics.median([steps.take() for _ in range(PROFILE_WARM_UP)][1:])
        lines = steps.profile(PROFILE_STEPS)
    total = sum(time for _, time, _ in lines)
    print(f"{plain:.2f} ms a step; ops, which may run side by side: {total:.2f} ms")
    print(f"{'ms/step':>9s} {'share':>6s} {'number':>7s}")
    for kind, time, number in lines:
        if time > SMALLEST_SHARE * total:
            print(f"{time:9.2f} {100 * time / total:5.1f}% {number:7.0f} {kind}")


def case(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the input that is timed."""
    if options.input:
        return input_case(options.input)
    common = (options.precision, options.batch)
    if options.types:
        box = (folder / "alloy", options.types, options.edge or 3)
        return alloy_case(*box, *common, options.neighbors or 100)
    return water_case(folder / "water", options.edge or 4, *common, options.neighbors)


def main() -> None:
    """Choose the case, run the rounds and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--peer", help="the `dp` program of an environment with deepmd-kit")
    parser.add_argument("--input", type=Path, help="time this input file as it is")
    parser.add_argument("--types", type=int, help="types of an alloy in the place of water")
    parser.add_argument(
        "--neighbors", type=int, help="of an atom (water: 90, rcut 6 A; alloy: 100)"
    )
    parser.add_argument("--precision", default="float64", choices=["float64", "float32"])
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument(
        "--edge", type=int, help="water: edge^3 molecules (4); alloy: 4 edge^3 atoms (3)"
    )
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--profile", action="store_true", help="time of deeptf's ops by type")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        script = case(options, folder)
        work = work_of(script)
        if options.profile:
            print(work)
            profile(script, options.threads)
            return
        part = max(1, options.steps // PARTS)
        timed = with_steps(script, PARTS * part, part)
        results, peak = rounds(options, timed, work.precision, folder)
    report(results, work, peak, options.threads)


if __name__ == "__main__":
    main()
