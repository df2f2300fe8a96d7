"""CPU seconds per atom of the labels of each example and of its models, at two sizes.

    python examples/cost.py             models, beside labels as they were measured once
    python examples/cost.py --measure   the labels anew (README.md says what that needs; minutes)

Models are those that run.sh has made. The second size is two frames side by side (of ethanol, two
molecules 8 A apart) for labels and 27 of them for models. One core, the time of the processor; the
exponent is that of the time of a frame with its number of atoms, and "labels/it" compares the two
for one frame. What calling a model takes counts there; it is a fifth of a millisecond or so.
"""

import argparse
import importlib.util
import math
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from common import pwscf  # noqa: E402

COPIES = {"labels": (1, 2), "models": (1, 27)}
APART = 8.0  # A, between molecules
SECONDS = 1.0  # of evaluations of a model
MODELS = {"standard": "run", "fast": "run_fast"}
MEASURED = {  # s of a frame, of a core of a Xeon with other work on its sibling
    "aluminium": {1: 25.0},
    "ethanol": {1: 10.1, 2: 47.5},
    "water": {1: 27.4, 2: 148.0},
}


@dataclass(frozen=True)
class Frame:
    """Atoms of the first frame held out, so many times side by side."""

    coord: np.ndarray  # [N, 3] A
    cell: np.ndarray | None  # [3, 3] A
    types: np.ndarray  # [N]
    names: list[str]  # of types

    @property
    def symbols(self) -> list[str]:
        """Return the element of each atom."""
        return [self.names[t] for t in self.types]


def read_frame(example: str, copies: int) -> Frame:
    """Return the frame of an example, `copies` times along its first cell vector."""
    folder = HERE / example / "data" / "validation"
    types = np.loadtxt(folder / "type.raw", int)
    names = (folder / "type_map.raw").read_text().split()
    coord = np.load(folder / "set.000" / "coord.npy")[0].reshape(-1, 3).astype(float)
    cell, step = None, np.array([APART, 0, 0])
    if not (folder / "nopbc").exists():
        cell = np.load(folder / "set.000" / "box.npy")[0].reshape(3, 3).astype(float)
        step = cell[0]
        cell = cell * np.array([[copies], [1], [1]])
    shifted = [coord + k * step for k in range(copies)]
    return Frame(np.concatenate(shifted), cell, np.tile(types, copies), names)


def load_generator(example: str) -> ModuleType:
    """Return the script that has made the data of an example."""
    path = HERE / example / "generate.py"
    specification = importlib.util.spec_from_file_location(f"generate_{example}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def of_copies(settings: pwscf.Settings, copies: int) -> pwscf.Settings:
    """Return the same level of theory for a cell that is `copies` times as long."""
    system, points = dict(settings.system), settings.kpoints
    if "nbnd" in system:
        system["nbnd"] = str(copies * int(system["nbnd"]))
    if points is not None:
        points = (max(points[0] // copies, 1), *points[1:])  # as dense as before
    return replace(settings, system=system, kpoints=points)


def label_seconds(example: str, copies: int, options: argparse.Namespace) -> float:
    """Return the CPU time of the label of a frame, made as in generate.py."""
    frame, generator = read_frame(example, copies), load_generator(example)
    if not hasattr(generator, "SETTINGS"):
        from pyscf import lib

        lib.num_threads(1)
        begin = time.process_time()
        generator.energy_and_force(frame.symbols, frame.coord)
        return time.process_time() - begin
    settings = of_copies(generator.SETTINGS, copies)
    geometry = {"coord": [frame.coord], "box": [frame.cell]}
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        place = argparse.Namespace(**{**vars(options), "work": Path(folder)})
        done = pwscf.label(place, settings, frame.symbols, 0, geometry)
    if done != "labelled":
        raise SystemExit(f"{options.command} must label {example}, got: {done}")
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime


def model_seconds(example: str, copies: int, model: Path) -> float:
    """Return the CPU time of energy, force and virial of a frame: the median of some."""
    from deeptf.infer import DeepPot

    frame, times = read_frame(example, copies), []
    with DeepPot(model, threads=1) as pot:
        given = frame.coord, frame.cell, frame.types
        pot.eval(*given)
        while sum(times) < SECONDS:
            begin = time.process_time()
            pot.eval(*given)
            times.append(time.process_time() - begin)
    return float(np.median(times))


def row(example: str, name: str, found: dict[int, float], label: float | None = None) -> str:
    """Return a line of the table.

    found : seconds of a frame of so many copies
    label : seconds of the label of one copy
    """
    atoms = {copies: len(read_frame(example, copies).types) for copies in found}
    text = f"{example:10s} {name:9s}"
    for copies, seconds in found.items():
        text += f" {atoms[copies]:6d} {seconds / atoms[copies]:9.3g}"
    if len(found) == 1:
        return f"{text} {'-':>6s} {'-':>9s} {'-':>9s}"
    (few, many), (short, long) = atoms.values(), found.values()
    text += f" {math.log(long / short) / math.log(many / few):9.2f}"
    return text + (f" {label / short:10.2g}" if label else "")


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    examples = [path.parent.name for path in sorted(HERE.glob("*/generate.py"))]
    parser.add_argument("--examples", nargs="+", choices=examples, default=examples)
    parser.add_argument("--measure", action="store_true", help="make the labels anew")
    pwscf.add_options(parser)
    options = parser.parse_args()
    sizes = f" {'atoms':>6s} {'s/atom':>9s}" * 2
    print(f"{'example':10s} {'':9s}{sizes} {'exponent':>9s} {'labels/it':>10s}")
    for example in options.examples:
        labels = MEASURED[example]
        if options.measure:
            labels = {n: label_seconds(example, n, options) for n in COPIES["labels"]}
        print(row(example, "labels", labels), flush=True)
        for name, folder in MODELS.items():
            model = HERE / example / folder / "model.pb"
            if model.exists():
                found = {n: model_seconds(example, n, model) for n in COPIES["models"]}
                print(row(example, name, found, labels[1]), flush=True)


if __name__ == "__main__":
    main()
