"""Training on 1 and 2 workers: steps per second, traffic, efficiency, and a model of more workers.

    python tests/benchmarks/horovod.py [--launcher mpi] [--precision float32] [--rounds 3]
        [--input examples/horovod/input.json] [--bandwidth 12.5 --latency 20]

The case is a made-up box of water unless --input is given; a worker has one thread and one frame a
step. The runs take turns, each a new process started by the same launcher; the first third of the
steps of a round is left out. Efficiency is the time of a step on one worker over that on N, whose
step has N times the frames. "2 apart" are two programs side by side, each on a core, that know
nothing of each other: what they lose is the machine's, whose cores share memory and power. "2
messages" are two workers that do not use the memory that they share, as if each had a host of its
own. The model is that of N workers on N hosts,

    t(N) = t(1) + L ceil(log2 N) + 2 (N - 1) / N D / B

with D bytes of gradient, as every worker sends and receives them in a ring. Without --bandwidth B
is that of this machine, from t(2 messages) - t(1) less L; --bandwidth (GB/s) and --latency (us) are
those of a network.
"""

from __future__ import annotations

import argparse
import math
import re
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from cases import input_case, water_case, with_steps
from programs import DEEPTF_TIMES, OURS, Program, read_times, run

PARTS = 3  # of a round; the first is left out
BYTES = {"float64": 8, "float32": 4}
PARAMETERS = re.compile(r"(\d+) trainable parameters")
APART, MESSAGES = "2 apart", "2 messages"
SIDE_BY_SIDE = """
for k in 0 1; do
    mkdir program_$k && cp input.json program_$k
    (cd program_$k && exec taskset -c $k "$@" > log 2>&1) &
done
wait
cat program_*/log"""
WITH_MESSAGES = """
import sys
from deeptf.__main__ import main
from deeptf.train import workers
workers.open_memory = lambda *_: None
sys.exit(main())"""
LAUNCHERS = {
    "mpi": ("mpirun", "--allow-run-as-root", "--oversubscribe"),
    "gloo": (str(Path(sys.executable).with_name("horovodrun")), "--gloo"),
}


def program(launcher: str, workers: int | str) -> Program:
    """Return the program that trains on so many workers with a thread each."""
    start = (*LAUNCHERS[launcher], "-np", str(workers).split()[0])
    deeptf = (sys.executable, "-m", "deeptf")
    if workers == APART:
        start = ("sh", "-c", SIDE_BY_SIDE, "sh")
    if workers == MESSAGES:
        deeptf = (sys.executable, "-c", WITH_MESSAGES)
    train = ("train", "input.json", "--skip-neighbor-stat", "--threads", "1")
    return Program(OURS, OURS, (*start, *deeptf, *train), DEEPTF_TIMES)


def measure(
    launcher: str, script: dict[str, Any], rounds: int, folder: Path
) -> tuple[dict[int | str, list[float]], int]:
    """Return ms per step of every part, by the number of workers, and the number of weights."""
    times: dict[int | str, list[float]] = {1: [], APART: [], 2: [], MESSAGES: []}
    for _ in range(rounds):
        for workers, found in times.items():
            text, _ = run(program(launcher, workers), script, folder / "run", 1)
            part = read_times(text, DEEPTF_TIMES, script["training"]["disp_freq"])
            found += part
            print(f"{workers:>10} workers {statistics.mean(part):8.2f} ms/step", flush=True)
    return times, int(PARAMETERS.search(text).group(1))


def report(
    times: dict[int | str, list[float]], gradient: float, options: argparse.Namespace
) -> None:
    """Print the table and the model; `gradient` in MB."""
    one, two = (statistics.median(times[workers]) for workers in (1, MESSAGES))
    print(f"\ngradient {gradient:.2f} MB; each of 2 workers sends and receives as much a step")
    print(
        f"{'workers':>10s} {'ms/step':>8s} {'least':>8s} {'most':>8s} {'frames/s':>9s} efficiency"
    )
    for workers, found in times.items():
        median = statistics.median(found)
        frames = 1e3 * (1 if workers == 1 else 2) / median
        row = f"{workers:>10} {median:8.2f} {min(found):8.2f} {max(found):8.2f}"
        print(f"{row} {frames:9.1f} {100 * one / median:9.1f}%")
    latency = options.latency / 1e3  # ms
    bandwidth = options.bandwidth
    if bandwidth is None:
        bandwidth = gradient / max(two - one - latency, 1e-3)  # MB/ms = GB/s
        latency = min(latency, two - one)
    print(f"model of hosts with {bandwidth:.2f} GB/s and {1e3 * latency:.0f} us:")
    for workers in (4, 16, 64, 256):
        messages = latency * math.ceil(math.log2(workers))
        step = one + messages + 2 * (workers - 1) / workers * gradient / bandwidth
        row = f"{workers:10d} {step:8.2f} {'':17s} {1e3 * workers / step:9.1f}"
        print(f"{row} {100 * one / step:9.1f}%")


def main() -> None:
    """Run, then print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--launcher", choices=LAUNCHERS, default="mpi")
    parser.add_argument("--input", type=Path, help="time this input file, with Adam")
    parser.add_argument("--precision", choices=BYTES, default="float64")
    parser.add_argument("--steps", type=int, default=450)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bandwidth", type=float, help="GB/s of a network")
    parser.add_argument("--latency", type=float, default=20, help="us of a message")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.input:
            script = input_case(options.input)
        else:
            script = water_case(folder / "water", 4, options.precision, 1, None)
        part = max(1, options.steps // PARTS)
        script = with_steps(script, PARTS * part, part)
        precision = script["model"]["fitting_net"].get("precision", "float64")
        times, parameters = measure(options.launcher, script, options.rounds, folder)
    report(times, 1e-6 * parameters * BYTES[precision], options)


if __name__ == "__main__":
    main()
