"""A process that evaluates one box of atoms with one program again and again; inference.py asks it.

    python evaluate.py deeptf|peer MODEL SYSTEM THREADS

It loads the model, evaluates three atoms and writes a line with the seconds since the import of the
program began, and its memory in MB by then. For each line that comes in it evaluates the box for
about SECONDS and writes the median seconds of an evaluation, its largest memory since in MB and the
energy of the box, so that programs can be compared.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

SECONDS = 1.0


def potential_of(program: str, model: str, threads: int) -> Callable:
    """Return a function of coordinates, cell and types; deepmd-kit reads its threads elsewhere."""
    if program == "deeptf":
        from deeptf.infer.deep_pot import DeepPot

        return DeepPot(model, threads=threads).eval
    from deepmd.infer import DeepPot

    return DeepPot(model).eval


def forget_peak() -> None:
    """Let memory() begin anew: reading a box may have taken more than evaluating it."""
    Path("/proc/self/clear_refs").write_text("5")


def memory() -> float:
    """Return the largest memory of this process, since forget_peak, in MB."""
    (line,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return int(line) / 1024


def main() -> None:
    """Load, then evaluate as often as asked."""
    program, model, system, threads = sys.argv[1:]
    folder = Path(system)
    coord, cell = (np.load(folder / "set.000" / f"{name}.npy") for name in ("coord", "box"))
    types = np.loadtxt(folder / "type.raw", int)
    begin = time.perf_counter()
    evaluate = potential_of(program, model, int(threads))
    evaluate(coord[:, :9], None, types[:3])
    seconds = time.perf_counter() - begin
    forget_peak()
    print("ready", seconds, memory(), flush=True)
    for _ in sys.stdin:
        seconds = []
        while not seconds or sum(seconds) < SECONDS:
            begin = time.perf_counter()
            energy = evaluate(coord, cell, types)[0]
            seconds.append(time.perf_counter() - begin)
        print("done", sorted(seconds)[len(seconds) // 2], memory(), float(energy[0, 0]), flush=True)


if __name__ == "__main__":
    main()
