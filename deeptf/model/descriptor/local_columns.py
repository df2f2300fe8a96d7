"""Mean and spread over the data of the columns of the local-frame descriptor (loc_frame.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from deeptf.data.batch import Batch, Pairs
from deeptf.data.pairs import naming_frames
from deeptf.data.statistics import Neighbours
from deeptf.model.descriptor.local_frames import Layout, Rule, complete, local_rows
from deeptf.model.descriptor.row_sums import LEAST
from deeptf.ops.pairs import sort_pairs
from deeptf.tf import session, tf


class Settings(Protocol):
    """What the columns follow from: the settings of the descriptor."""

    sel: tuple[int, ...]
    rcut: float  # A
    width: int
    layout: Layout
    rules: tuple[tuple[Rule, ...], ...]

    def lacks(self) -> list[str]:
        """Return what is wrong with an atom of each type and lack."""


@dataclass(frozen=True)
class ColumnSums:
    """Number of centres, and sums of the columns and of their squares, by type of the centre.

    Every frame is looked at, since one with an atom that lacks an axis cannot be trained on; the
    sums are those of the sampled frames.
    """

    descriptor: Settings
    sampled = False

    @property
    def rcut(self) -> float:
        """Pairs up to this distance in A."""
        return self.descriptor.rcut

    def nothing(self) -> np.ndarray:
        """Return zeros, [T (1 + 2 width)]."""
        return np.zeros(len(self.descriptor.sel) * (1 + 2 * self.descriptor.width))

    def collect(self, batch: Batch, neighbours: Neighbours, chosen: np.ndarray) -> np.ndarray:
        """Return the sums over the chosen frames of a batch.

        Raises DataError for an atom that lacks an axis; it names system and frame.
        """
        with naming_frames(batch):
            rows, atoms = _evaluator(self.descriptor)(batch, neighbours.pairs)
        used = np.repeat(chosen, batch.atoms_per_frame)[atoms]
        rows, atoms = rows[used], atoms[used]
        of_type = np.eye(len(self.descriptor.sel))[batch.atom_type[atoms]]  # [N, T]
        values = np.hstack([np.ones((len(rows), 1)), rows, rows**2])
        return (of_type.T @ values).ravel()

    def join(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the sums over both."""
        return a + b

    def normalisation(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and spread of the columns, [T, width] each.

        A type without atoms has mean 0 and spread 1/rcut.
        """
        sums = row.reshape(len(self.descriptor.sel), -1)
        centres = np.maximum(sums[:, :1], 1)
        mean, square = np.split(sums[:, 1:] / centres, 2, axis=1)
        spread = np.maximum(np.sqrt(np.maximum(square - mean**2, 0.0)), LEAST)
        return mean, np.where(sums[:, :1] > 0, spread, 1.0 / self.rcut)


@lru_cache(maxsize=2)
def _evaluator(own: Settings) -> Callable[[Batch, Pairs], list[np.ndarray]]:
    """Return what gives the rows [N_real, width] of a batch, not normalised, and their atoms."""
    with tf.Graph().as_default() as graph:
        given = {
            "row": tf.placeholder(tf.int32, [None]),
            "neighbor": tf.placeholder(tf.int32, [None]),
            "displacement": tf.placeholder(tf.float64, [None, 3]),
            "atom_type": tf.placeholder(tf.int32, [None]),
        }
        frame_row = tf.placeholder(tf.int32, [None])
        pairs = sort_pairs(*given.values(), len(own.sel))
        found = local_rows(pairs, own.layout, own.rules, own.rcut)
        outputs = [complete(found, pairs, own.lacks(), frame_row), pairs.atom_order]
    run = session(graph)

    def evaluate(batch: Batch, of_batch: Pairs) -> list[np.ndarray]:
        values = {**vars(of_batch), "atom_type": batch.atom_type}
        feed = {tensor: values[name] for name, tensor in given.items()}
        return run.run(outputs, {**feed, frame_row: batch.frame_row})

    return evaluate
