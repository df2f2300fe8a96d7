"""Force error on validation frames against wall time, for schedules and programs one after another.

    python tests/benchmarks/time_to_accuracy.py --train DIR... --validation DIR
        deeptf:fast:1200 deeptf:standard:100000 [deepmd-kit:cosine:8000 --peer /path/to/dp]
        [--target 0.0539] [--results curves.json] [--plot curves.png]

A run is PROGRAM:SCHEDULE:STEPS; "fast" and "standard" are the schedules of the README,
"cosine" is the fastest that was found for Adam, which all programs have. The model is
the one of the published water input (rcut 6 A, 25/50/100, axis 16, 240x3, float32 nets). The clock
starts with the program; each time is that of a line of lcurve.out, whose validation columns are
over all frames. --results is read before and written after every run: runs add up over calls.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import water
from programs import OURS, Program, environment, programs

PEER = "deepmd-kit"
POINTS = 20  # of a curve
POLL = 0.2  # s
Curve = list[tuple[float, int, float, float]]  # s, step, energy eV/atom, force eV/A


def schedule(name: str, steps: int) -> dict[str, Any]:
    """Return the sections learning_rate and optimizer."""
    cosine = {"type": "cosine", "stop_lr": 1e-6, "warmup_ratio": 0.05}
    known = {
        "standard": ({"type": "exp", "start_lr": 1e-3, "stop_lr": 3.51e-8}, "Adam"),
        "cosine": (cosine | {"start_lr": 8e-3}, "Adam"),
        "fast": (cosine | {"start_lr": 1.2e-2}, "SOAP"),
    }
    if name not in known:
        raise SystemExit(f"the schedule must be one of {', '.join(known)}, got {name}")
    rate, optimizer = known[name]
    if name == "standard":
        rate["decay_steps"] = steps // 20
    return {"learning_rate": rate, "optimizer": {"type": optimizer}}


def script(options: argparse.Namespace, name: str, steps: int) -> dict[str, Any]:
    """Return the input of a run."""
    frames = sum(len(np.load(path)) for path in options.validation.glob("set.*/energy.npy"))
    script = water.standard_input(options.train[0], steps, "float32")
    script["model"]["type_map"] = (options.train[0] / "type_map.raw").read_text().split()
    script["model"]["descriptor"]["sel"] = options.sel
    script |= schedule(name, steps)
    training = script["training"]
    training["training_data"]["systems"] = [str(path.resolve()) for path in options.train]
    training["validation_data"] = {
        "systems": [str(options.validation.resolve())],
        "batch_size": 1,
        "numb_btch": frames,
    }
    training["seed"], training["disp_freq"] = options.seed, max(1, steps // POINTS)
    return script


def program(options: argparse.Namespace, name: str) -> Program:
    """Return the program of a run."""
    if name == PEER and options.peer is None:
        raise SystemExit("--peer must be given for deepmd-kit")
    ours, *peers = programs(options.peer, None, options.threads)
    known = {OURS: ours, PEER: peers[0] if peers else None}
    if name not in known:
        raise SystemExit(f"the program must be {OURS} or {PEER}, got {name}")
    return known[name]


def follow(process: subprocess.Popen, path: Path, start: float) -> Curve:
    """Return the lines of a learning curve with the times at which they appear."""
    curve: Curve = []
    running = True
    while running:
        running = process.poll() is None
        time.sleep(POLL)
        lines = path.read_text().splitlines() if path.exists() else []
        rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
        if len(rows) > len(curve):
            names = lines[0].strip("# ").split()
            energy, force = names.index("rmse_e_val"), names.index("rmse_f_val")
            now = time.monotonic() - start
            for row in rows[len(curve) :]:
                curve.append((now, int(row[0]), float(row[energy]), float(row[force])))
                print(f"{now:9.1f} s  step {row[0]:>7s}  force {row[force]} eV/A", flush=True)
    return curve


def train(options: argparse.Namespace, run: str) -> Curve:
    """Train once; return its curve."""
    name, schedule_name, steps = run.split(":")
    command = program(options, name).command
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        text = json.dumps(script(options, schedule_name, int(steps)))
        (folder / "input.json").write_text(text)
        with open(folder / "log", "w") as log:
            start = time.monotonic()
            process = subprocess.Popen(
                command, cwd=folder, env=environment(options.threads), stdout=log, stderr=log
            )
            curve = follow(process, folder / "lcurve.out", start)
        if process.returncode:
            raise SystemExit(f"{run} failed:\n{(folder / 'log').read_text()[-2000:]}")
    return curve


def report(curves: dict[str, Curve], target: float) -> None:
    """Print the last errors of every run and when it stayed below the target."""
    print(f"\n{'run':32s} {'s':>8s} {'meV/atom':>9s} {'eV/A':>8s}  below {target} eV/A after")
    for run, curve in curves.items():
        above = [k for k, point in enumerate(curve) if point[3] > target]
        reached = curve[above[-1] + 1][0] if above and above[-1] + 1 < len(curve) else None
        end = f"{reached:.0f} s" if reached else "-"
        last = curve[-1]
        print(f"{run:32s} {last[0]:8.0f} {1e3 * last[2]:9.2f} {last[3]:8.4f}  {end}")


def plot(curves: dict[str, Curve], target: float, path: Path) -> None:
    """Draw force errors against time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    _, axes = pyplot.subplots(figsize=(6.4, 3.6), layout="constrained")
    for run, curve in curves.items():
        program, name, steps = run.split(":")
        style = "-" if program == OURS else "--"
        label = f"{program}, {name}, {int(steps):,} steps"
        points = [(point[0], point[3]) for point in curve if point[1] > 0]
        axes.loglog(*zip(*points, strict=True), style, label=label)
    axes.axhline(target, color="grey", linewidth=0.8, label=f"{target} eV/Å")
    axes.set(xlabel="wall time, s", ylabel="force RMSE on validation frames, eV/Å")
    axes.legend(fontsize="small")
    pyplot.savefig(path, dpi=120)


def main() -> None:
    """Take the runs in turn, then print and draw all results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("runs", nargs="*", help="PROGRAM:SCHEDULE:STEPS")
    parser.add_argument("--train", nargs="+", type=Path, required=True)
    parser.add_argument("--validation", type=Path, required=True)
    parser.add_argument("--sel", nargs="+", type=int, default=[46, 92])
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--peer", help="the `dp` program of an environment with deepmd-kit")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--target", type=float, default=0.0539, help="eV/A")
    parser.add_argument("--results", type=Path, default=Path("curves.json"))
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    curves = json.loads(options.results.read_text()) if options.results.exists() else {}
    for run in options.runs:
        print(run, flush=True)
        curves[run] = train(options, run)
        options.results.write_text(json.dumps(curves))
    report(curves, options.target)
    if options.plot:
        plot(curves, options.target, options.plot)


if __name__ == "__main__":
    main()
