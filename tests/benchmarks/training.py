"""Milliseconds per training step of deeptf, and of deepmd-kit beside it when its `dp` program is
given.

    python tests/benchmarks/training.py [--peer /path/to/dp] [--precision float32] [--rounds 3]

The programs run in turn (A B A B ...), each round a new process on the same made-up box of water;
the first 100 steps of a round are left out. Printed: median and range over rounds, ratio of
medians, largest memory.
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

from water import standard_input, write_system

WARM_UP = 100


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


def milliseconds(text: str, pattern: str, factor: float) -> float:
    """Return the mean time of a step, in ms, over the blocks of 100 steps after the warm-up."""
    blocks = [factor * float(found) for found in re.findall(pattern, text)][WARM_UP // 100 :]
    return statistics.mean(blocks)


def deeptf_round(folder: Path, threads: int) -> tuple[float, float]:
    """Train with deeptf; return ms per step and MB."""
    command = [sys.executable, "-m", "deeptf", "train", "input.json", "--skip-neighbor-stat"]
    text, memory = run([*command, "--threads", str(threads)], folder, threads)
    return milliseconds(text, r"([\d.]+) ms/step", 1.0), memory


def peer_round(dp: str, folder: Path, threads: int) -> tuple[float, float]:
    """Train with deepmd-kit; return ms per step and MB."""
    command = [dp, "--tf", "train", "input.json", "--skip-neighbor-stat"]
    text, memory = run(command, folder, threads)
    return milliseconds(text, r"total wall time = ([\d.]+) s", 1e3 / 100), memory


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--peer", help="the `dp` program of an environment with deepmd-kit")
    parser.add_argument("--precision", default="float64", choices=["float64", "float32"])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--edge", type=int, default=4, help="molecules along an edge of the box")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    results: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        system = write_system(folder / "water", edge=options.edge)
        script = standard_input(system, options.steps, options.precision, options.batch)
        for _ in range(options.rounds):
            for name in ["deeptf"] + (["deepmd-kit"] if options.peer else []):
                work = folder / name
                shutil.rmtree(work, ignore_errors=True)
                work.mkdir()
                (work / "input.json").write_text(json.dumps(script))
                if name == "deeptf":
                    result = deeptf_round(work, options.threads)
                else:
                    result = peer_round(options.peer, work, options.threads)
                results.setdefault(name, []).append(result)
                print(f"{name:12s} {result[0]:8.2f} ms/step", flush=True)
    report(results, f"{options.precision}, {3 * options.edge**3} atoms, {options.threads} threads")


def report(results: dict[str, list[tuple[float, float]]], case: str) -> None:
    """Print medians, ranges and the ratio."""
    print(f"\n{case}\n{'':12s} {'median':>8s} {'least':>8s} {'most':>8s}   ms/step {'MB':>9s}")
    medians = {}
    for name, rounds in results.items():
        times = [time for time, _ in rounds]
        medians[name] = statistics.median(times)
        memory = max(memory for _, memory in rounds)
        print(f"{name:12s} {medians[name]:8.2f} {min(times):8.2f} {max(times):8.2f} {memory:19.0f}")
    if "deepmd-kit" in medians:
        print(f"deeptf is {medians['deepmd-kit'] / medians['deeptf']:.2f} times as fast")


if __name__ == "__main__":
    main()
