"""`deeptf model-devi`: how much models disagree about the frames of systems, or err.

`model_devi.out` has a header of two lines for each system, its name and the columns, then a line
for each frame (deviation.py). The file appears complete or not at all.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deeptf.data.batch import Batch
from deeptf.data.system import System
from deeptf.files import replacing
from deeptf.infer.deviation import Deviation, Levels, deviation_of, write_table
from deeptf.infer.ensemble import Ensemble
from deeptf.infer.evaluator import OutsideWarning
from deeptf.infer.systems import portions, systems_for
from deeptf.properties import ENERGY, FORCE, FRAME, VIRIAL

_COMPARED = (ENERGY, FORCE, VIRIAL)


def model_devi(
    models: Sequence[str | Path],
    system: str | Sequence[str],
    output: str | Path,
    *,
    frequency: int = 1,
    real_error: bool = False,
    atomic: bool = False,
    relative: float | None = None,
    relative_v: float | None = None,
    threads: int | None = None,
) -> None:
    """Write deviations of all frames to `output` and print the largest one of each system.

    models : model files
    system : a folder that is searched for systems, or a list of systems
    frequency : steps from frame to frame
    real_error : root mean square errors against the labels in the place of deviations; NaN without
    atomic : write the deviation of each force too
    relative, relative_v : levels in eV/A and eV of relative deviations of forces and virials

    Raises ValueError or OSError with a message for the user.
    """
    if len(models) < 2 and not real_error:
        raise ValueError(
            f"`models` must be at least two files, got {' '.join(map(str, models))} alone: they "
            "are compared with each other; with `real_error` one is compared with labels"
        )
    levels = Levels(relative, relative_v)
    what = "error" if real_error else "deviation"
    with Ensemble(models, threads=threads) as ensemble, replacing(output, "w") as stream:
        for opened in systems_for(ensemble.models[0], system):
            found = _deviation(ensemble, opened, levels, real_error)
            write_table(stream, found.table(frequency, atomic), opened.path)
            frame, atom = np.unravel_index(np.argmax(found.force), found.force.shape)
            print(
                f"{opened.path}: {len(found.force)} frames, largest {what} of a force "
                f"{found.force[frame, atom]:.3e}, of atom {atom} in frame {frame}",
                flush=True,
            )
        for line in ensemble.outside_lines():
            print(f"note: {line}", flush=True)


def _deviation(ensemble: Ensemble, system: System, levels: Levels, real_error: bool) -> Deviation:
    """Return the deviations of all frames of a system."""
    parts = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideWarning)  # said at the end, of all frames
        for frames in portions(system, np.arange(system.num_frames)):
            batch = system.batch(frames)
            predicted = ensemble.evaluate(batch, [row.name for row in _COMPARED])
            real = np.ones((len(frames), system.num_atoms), bool)
            if batch.num_atoms < real.size:
                real[...] = False
                for row, frame in zip(real, frames, strict=True):
                    row[system.real_atoms(frame)] = True
            labels = _labels(batch) if real_error else None
            parts.append(deviation_of(predicted, real, levels, labels))
    names = vars(parts[0])
    return Deviation(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _labels(batch: Batch) -> dict[str, np.ndarray]:
    """Return labels by the names of the outputs; NaN for frames that have none."""
    labels = {}
    for row in _COMPARED:
        there = batch.has[row.label] > 0  # [F]
        if row.of != FRAME:
            there = np.repeat(there, batch.atoms_per_frame)
        value = batch.labels[row.label]
        labels[row.name] = np.where(there.reshape(-1, *[1] * (value.ndim - 1)), value, np.nan)
    return labels
