"""The differences of two frozen models on the frames of systems, which need no labels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deeptf.data.batch import Batch
from deeptf.data.comparison import TITLE_WIDTH, ErrorSum, Quantity, quantities
from deeptf.infer.deep_model import DeepModel
from deeptf.infer.evaluator import OutsideWarning
from deeptf.infer.systems import systems_for
from deeptf.infer.test import batches

MOST_FRAMES = 100  # of a system, spread evenly


def compare(
    old: str | Path, new: str | Path, systems: str | Sequence[str], threads: int | None = None
) -> list[str]:
    """Return lines on how much the model `new` differs from `old`, and on pairs outside its ranges.

    systems : a folder that is searched for systems, or a list of systems

    Raises ValueError or OSError with a message for the user.
    """
    with (
        DeepModel(old, threads) as one,
        DeepModel(new, threads) as other,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", OutsideWarning)  # said below, of all frames
        opened = list(systems_for(other, systems))
        rows = quantities(other.labelled())
        sums = {row: ErrorSum() for row in rows if row.per_atom or not row.property.extensive}
        count = 0
        for system in opened:
            frames = system.used_frames
            frames = frames[:: -(-len(frames) // MOST_FRAMES)]
            count += len(frames)
            for batch in batches(system, frames):
                _add(batch, one, other, sums)
        outside = _outside(other)
    width = max(TITLE_WIDTH, *(len(row.title) for row in sums))
    title = f"differences from {old}, {count} frames of {len(opened)} system"
    title += "s" if len(opened) > 1 else ""
    lines = [title, f"{'':{width + 2}}{'largest':>14}{'RMS':>14}"]
    for row, found in sums.items():
        numbers = f"{found.largest:14.6e}{found.rmse:14.6e}  {row.unit}"
        lines.append(f"  {row.title:{width}}{numbers}")
    return lines + outside


def _outside(pot: DeepModel) -> list[str]:
    """Return lines on pairs closer than the data of a model, in all its evaluations."""
    if pot.outside is None:
        return []
    lines = [f"note: {line}" for line in pot.outside.lines()]
    return lines or ["no pair of atoms is closer than where the data of the model end"]


def _add(batch: Batch, one: DeepModel, other: DeepModel, sums: dict[Quantity, ErrorSum]) -> None:
    """Add the differences of two models on a batch."""
    names = [row.property.name for row in sums]
    before, after = (model.evaluate(batch, names) for model in (one, other))
    for row, found in sums.items():
        difference = after[row.property.name] - before[row.property.name]
        if row.per_atom:
            difference = difference.reshape(batch.num_frames, -1)
            difference /= np.maximum(batch.atoms_per_frame, 1)[:, None]
        found.add(difference)
