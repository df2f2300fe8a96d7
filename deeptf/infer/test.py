"""`deeptf test`: the errors of a frozen model on labelled frames, system by system and together.

What is compared follows from the outputs of the model and from properties.py. Detail files
`PREFIX.KEY.out` (for energies `.e.out` and `.e_peratom.out`) hold labels and predictions in columns
`data_*` and `pred_*`, with a header line for each system; they appear complete under their names or
not at all.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import numpy as np
from tqdm import tqdm

from deeptf.data.batch import Batch
from deeptf.data.comparison import Errors, Quantity, compare, quantities
from deeptf.data.system import System
from deeptf.files import replacing
from deeptf.infer.deep_model import DeepModel
from deeptf.infer.evaluator import OutsideWarning
from deeptf.infer.plot import ParityPlot, check_plot
from deeptf.infer.systems import portions, systems_for
from deeptf.process import on_terminal


def test(
    model_file: str | Path,
    systems: str | Sequence[str],
    num_frames: int = 0,
    *,
    detail: str | Path | None = None,
    atomic: bool = False,
    plot: str | Path | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    threads: int | None = None,
) -> Errors:
    """Print the errors of a model on every system, and on all of them; return the latter.

    systems : a folder that is searched for systems, or a list of systems
    num_frames : of each system, the first ones or with `shuffle` any; 0 means all
    detail : prefix of the detail files
    atomic : compare the shares of atoms, such as atomic energies, too
    plot : PNG file for a parity plot

    Raises ValueError or OSError with a message for the user.
    """
    if num_frames < 0:
        raise ValueError(f"`num_frames` must be at least 0 (all frames), got {num_frames}")
    if plot is not None:
        check_plot(plot)
    with DeepModel(model_file, threads) as pot, ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideWarning)  # said below, of all frames
        total = Errors(quantities(pot.labelled(atomic)))
        parity = ParityPlot(total.quantities) if plot is not None else None
        if not pot.names_types():
            print("note: the model has no names of its types: those of the systems count by number")
        opened = list(systems_for(pot, systems))
        chosen = _choose(opened, num_frames, shuffle, seed)
        details = _Details(detail, stack) if detail is not None else None
        for system, frames in zip(opened, chosen, strict=True):
            errors = _test_system(pot, system, frames, total.quantities, details, parity)
            print("\n".join(errors.lines(system.path)), flush=True)
            total.include(errors)
        if not any(found.count for found in total.sums.values()):
            raise ValueError(_no_labels(total.quantities, opened))
        for line in pot.outside.lines() if pot.outside else ():
            print(f"note: {line}", flush=True)
        if parity is not None:
            parity.write(plot)
    if len(opened) > 1:
        print("\n".join(total.lines(f"all {len(opened)} systems, weighted by their size")))
    return total


def read_list(path: str | Path) -> list[str]:
    """Return the systems that a text file lists, one a line; `#` begins a comment."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise ValueError(
            f"`datafile` must be a text file with a system in each line, got {path}: {reason}"
        ) from None
    lines = [line.partition("# ")[0].strip() for line in text.splitlines()]
    systems = [line for line in lines if line and not line.startswith("#")]
    if not systems:
        raise ValueError(f"`datafile` must name at least one system, got none in {path}")
    return systems


def _no_labels(quantities: Sequence[Quantity], systems: Sequence[System]) -> str:
    *files, last = dict.fromkeys(f"{quantity.property.label}.npy" for quantity in quantities)
    files = f"{', '.join(files)} or {last}" if files else last
    paths = ", ".join(system.path for system in systems)
    return f"`systems` must hold labels ({files}), got none in {paths}"


def _choose(
    systems: Sequence[System], num_frames: int, shuffle: bool, seed: int | None
) -> list[np.ndarray]:
    """Return the frames of each system to test, in order."""
    generator = np.random.default_rng(seed)
    chosen = []
    for system in systems:
        count = min(num_frames or system.num_frames, system.num_frames)
        if shuffle:
            chosen.append(np.sort(generator.permutation(system.num_frames)[:count]))
        else:
            chosen.append(np.arange(count))
    return chosen


def _test_system(
    pot: DeepModel,
    system: System,
    frames: np.ndarray,
    quantities: tuple[Quantity, ...],
    details: _Details | None,
    parity: ParityPlot | None,
) -> Errors:
    """Evaluate frames of one system and compare them with their labels."""
    errors = Errors(quantities, len(frames))
    outputs = list(dict.fromkeys(quantity.property.name for quantity in quantities))
    for batch in batches(system, frames):
        predicted = pot.evaluate(batch, outputs)
        for quantity in quantities:
            label, prediction = compare(quantity, batch, predicted)
            if not len(label):
                continue
            errors[quantity.suffix].add(prediction - label)
            if details is not None:
                details.write(quantity, system.path, label, prediction)
            if parity is not None:
                parity.add(quantity, label, prediction)
    return errors


def batches(system: System, frames: np.ndarray) -> Iterator[Batch]:
    """Yield the frames of a system, some at a time; a terminal shows progress."""
    parts = portions(system, frames)
    for part in tqdm(parts, desc="test", leave=False, disable=not on_terminal()):
        yield system.batch(part)


class _Details:
    """The detail files of a test; each is made when its quantity first has data."""

    def __init__(self, prefix: str | Path, stack: ExitStack) -> None:
        self._prefix = str(prefix)
        self._stack = stack
        self._streams: dict[str, TextIO] = {}
        self._system: dict[str, str] = {}

    def write(
        self, quantity: Quantity, system: str, label: np.ndarray, prediction: np.ndarray
    ) -> None:
        """Append rows of labels and predictions [n, columns]."""
        name = quantity.suffix
        if name not in self._streams:
            path = f"{self._prefix}{quantity.file}"
            self._streams[name] = self._stack.enter_context(replacing(path, "w"))
        stream = self._streams[name]
        if self._system.get(name) != system:
            self._system[name] = system
            columns = quantity.property.components
            titles = [f"{kind}_{name}" for kind in ("data", "pred") for name in columns]
            stream.write(f"# {system}: {' '.join(titles)}\n")
        np.savetxt(stream, np.hstack([label, prediction]), fmt="%.14e")
