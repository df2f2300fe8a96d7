"""Errors on the validation data after the same training with float64 and with float32 nets.

    python tests/benchmarks/precision.py [--input input.json] [--steps 400]

The seed of weights and batches is the same, so the runs part by rounding only; still, what differs
less than the errors of two seeds says nothing. Without --input: examples/aluminium. The learning
rate falls to its end within the steps. Does not time anything (training.py does).
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from cases import absolute_input, with_steps

from deeptf.data.comparison import Errors
from deeptf.infer.test import test

EXAMPLE = Path(__file__).parents[2] / "examples" / "aluminium" / "input.json"
PRECISIONS = ("float64", "float32")
SHOWN = ("e_peratom", "f", "v", "v_peratom")


def with_precision(script: dict[str, Any], precision: str) -> dict[str, Any]:
    """Return the input with both nets in `precision` and a seed."""
    changed = copy.deepcopy(script)
    for section in ("descriptor", "fitting_net"):
        changed["model"].setdefault(section, {})["precision"] = precision
    changed["training"].setdefault("seed", 1)
    return changed


def trained_errors(script: dict[str, Any], folder: Path, threads: int) -> Errors:
    """Train and freeze in a new folder; return the errors on the validation systems."""
    folder.mkdir()
    (folder / "input.json").write_text(json.dumps(script))
    program = [sys.executable, "-m", "deeptf"]
    for arguments in (
        ["train", "input.json", "--threads", str(threads)],
        ["freeze", "-o", "model.pb"],
    ):
        done = subprocess.run([*program, *arguments], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"deeptf {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    systems = script["training"]["validation_data"]["systems"]
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        return test(folder / "model.pb", systems, threads=threads)


def main() -> None:
    """Train twice and print the errors side by side."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--input", type=Path, default=EXAMPLE)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    script = with_steps(absolute_input(options.input), options.steps, options.steps)
    if not script["training"].get("validation_data"):
        raise SystemExit(f"{options.input} must have `validation_data`: the errors are on it")
    with tempfile.TemporaryDirectory() as folder:
        errors = {
            name: trained_errors(with_precision(script, name), Path(folder) / name, options.threads)
            for name in PRECISIONS
        }
    frames = errors[PRECISIONS[0]].num_frames
    print(f"RMSE on {frames} validation frames after {options.steps} steps")
    print(f"{'':18s}" + "".join(f"{name:>13s}" for name in PRECISIONS) + "   change")
    shown = [one for one in errors[PRECISIONS[0]].quantities if one.suffix in SHOWN]
    for quantity in shown:
        found = [errors[name][quantity.suffix] for name in PRECISIONS]
        if found[0].count:
            row = "".join(f"{one.rmse:13.4e}" for one in found)
            change = found[1].rmse / found[0].rmse - 1
            print(f"{quantity.title:18s}{row} {change:8.0e}  {quantity.unit}")


if __name__ == "__main__":
    main()
