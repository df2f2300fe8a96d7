"""Milliseconds per training step of deeptf, and of deepmd-kit's TensorFlow and PyTorch backends
beside it when their `dp` programs are given.

    python tests/benchmarks/training.py [--peer /path/to/dp] [--precision float32] [--rounds 3]
    python tests/benchmarks/training.py --peer-pytorch /path/to/dp     # with and without compiler
    python tests/benchmarks/training.py --types 5 --neighbors 100      # a made-up alloy
    python tests/benchmarks/training.py --input examples/aluminium/input.json
    python tests/benchmarks/training.py --tensor dipole                # in the place of energies
    python tests/benchmarks/training.py --profile                      # where the time goes

Without --types or --input the case is a made-up box of water. The programs (programs.py) run in
turn (A B A B ...), each round a new process; the first third of the steps of a round is left out.
Printed: median and range over the other thirds of all rounds, the share of the speed of matrix
products measured in between (limit.py says how the work is counted), largest memory, ratio of
medians.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from cases import TENSORS, alloy_case, input_case, nets_of, water_case, with_steps, with_tensor
from limit import Work, measured_peak, work_of
from programs import OURS, Program, Result, TrainingFailed, programs, train

PARTS = 3  # of a round; the first is left out
PROFILE_WARM_UP, PROFILE_STEPS = 10, 10
SMALLEST_SHARE = 0.005  # of an op in a profile


def rounds(
    options: argparse.Namespace, script: dict[str, Any], precision: str, folder: Path
) -> tuple[dict[Program, list[Result]], float]:
    """Run the programs and the matrix products in turn; return the results of every round and the
    median speed of the products in GFLOP/s.
    """
    results: dict[Program, list[Result]] = {}
    peaks = []
    chosen = programs(options.peer, options.peer_pytorch, options.threads)
    for _ in range(options.rounds):
        for program in list(chosen):
            try:
                result = train(program, script, folder / "run", options.threads)
            except TrainingFailed as error:
                if not program.compiled:  # the compiler does not take every model
                    raise SystemExit(str(error)) from None
                print(f"{program.name:22s} left out, it failed: {_reason(error)}", flush=True)
                chosen.remove(program)
                continue
            results.setdefault(program, []).append(result)
            print(f"{program.name:22s} {statistics.mean(result.times):8.2f} ms/step", flush=True)
        peaks.append(measured_peak(precision, options.threads))
    return results, statistics.median(peaks)


def _reason(error: TrainingFailed) -> str:
    """Return the line of the output that names the error."""
    lines = re.findall(r"^[\w.]*(?:Error|Exception|SymNode): .*", str(error), re.MULTILINE)
    return lines[-1] if lines else str(error).splitlines()[-1]


def report(results: dict[Program, list[Result]], work: Work, peak: float, threads: int) -> None:
    """Print medians, ranges, the share of the limit and the ratio to the best of every peer."""
    print(f"\n{work}\nmatrix products on {threads} threads: {peak:.1f} GFLOP/s")
    head = f"{'median':>8s} {'least':>8s} {'most':>8s}   ms/step"
    print(f"{'':22s} {head} {'GFLOP/s':>9s} {'share':>7s} {'MB':>8s}")
    best: dict[str, tuple[float, str]] = {}  # peer: ms per step and name
    for program, each in results.items():
        times = [time for result in each for time in result.times]
        median = statistics.median(times)
        best[program.peer] = min(best.get(program.peer, (math.inf, "")), (median, program.name))
        speed = 1e3 * work.gflop / median
        row = f"{median:8.2f} {min(times):8.2f} {max(times):8.2f} {speed:19.2f}"
        memory = max(result.memory for result in each)
        print(f"{program.name:22s} {row} {100 * speed / peak:6.1f}% {memory:8.0f}")
    ours, _ = best.pop(OURS)
    for peer, (median, name) in best.items():
        print(f"deeptf is {median / ours:.2f} times as fast as {peer} at its best ({name})")


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
    script = water_case(folder / "water", options.edge or 4, *common, options.neighbors)
    return with_tensor(script, options.tensor) if options.tensor else script


def main() -> None:
    """Choose the case, run the rounds and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--peer", help="the `dp` program of deepmd-kit with TensorFlow")
    parser.add_argument("--peer-pytorch", help="the same where deepmd-kit (3.2 on) has PyTorch")
    parser.add_argument("--input", type=Path, help="time this input file as it is")
    parser.add_argument("--types", type=int, help="types of an alloy in the place of water")
    parser.add_argument(
        "--neighbors", type=int, help="of an atom (water: 90, rcut 6 A; alloy: 100)"
    )
    parser.add_argument("--tensor", choices=TENSORS, help="what a model of water gives")
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
        print(nets_of(script))
        if options.profile:
            print(work)
            profile(script, options.threads)
            return
        part = max(1, options.steps // PARTS)
        timed = with_steps(script, PARTS * part, part)
        results, peak = rounds(options, timed, work.precision, folder)
    (nodes,) = {each[-1].nodes for program, each in results.items() if program.peer == OURS}
    work = replace(work, nodes=nodes)
    report(results, work, peak, options.threads)


if __name__ == "__main__":
    main()
