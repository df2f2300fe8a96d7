"""What runs a model: the engine (backend_engine.py) or TensorFlow (backend_tensorflow.py).

Both take what inputs.py has checked and give outputs by name. They evaluate many frames, or one
large frame, piece by piece, so that the memory stays bounded whatever the amount of data.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Protocol

import numpy as np

from deeptf.data.batch import Frames, Pairs
from deeptf.infer.engine import GPU
from deeptf.properties import ATOM, CENTRE, FRAME, PROPERTIES

ENGINE, TENSORFLOW = "engine", "tensorflow"  # their names


@dataclass
class Settings:
    """How a model is evaluated, see DeepPot; ValueError for what cannot be."""

    threads: int | None
    memory: int
    auto_batch_size: bool | int
    gpu: str = "auto"

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise ValueError(f"`threads` must be at least 1, got {self.threads}")
        if self.memory < 1:
            raise ValueError(f"`memory` must be positive (bytes), got {self.memory}")
        if self.gpu not in GPU:
            raise ValueError(f"`gpu` must be one of {', '.join(GPU)}, got {self.gpu!r}")
        whole = isinstance(self.auto_batch_size, Integral)  # as booleans are
        if not whole or (self.auto_batch_size is not False and self.auto_batch_size < 1):
            raise ValueError(
                "`auto_batch_size` must be true, false or a positive number of atoms, "
                f"got {self.auto_batch_size!r}"
            )

    @property
    def most_atoms(self) -> int:
        """The most atoms that the user lets evaluate at a time."""
        return sys.maxsize if isinstance(self.auto_batch_size, bool) else int(self.auto_batch_size)


class Backend(Protocol):
    """A model that is open."""

    def run_frames(self, frames: Frames, names: Sequence[str]) -> dict[str, np.ndarray]:
        """Return outputs for frames; ValueError for what cannot be evaluated."""

    def run_pairs(
        self, frames: Frames, pairs: Pairs, num_owned: int, names: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Return outputs of the first `num_owned` centres of a frame whose pairs are given.

        Its atom_type may go on with ghosts.
        """

    def close(self) -> None:
        """Release the model."""


def empty_results(
    frames: Frames, names: Sequence[str], widths: Mapping[str, int] | None = None
) -> dict[str, np.ndarray]:
    """Return zeros for the outputs `names` of all frames, and of ghosts.

    widths : of the outputs that have as many numbers as the model says.
    """
    sizes = {FRAME: frames.num_frames, CENTRE: frames.num_atoms, ATOM: len(frames.atom_type)}
    result = {}
    for name in names:
        row = PROPERTIES[name]
        shape = row.shape if row.width else (widths[name],)
        result[name] = np.zeros((sizes[row.of], *shape))
    return result


def part_of_results(
    result: Mapping[str, np.ndarray], frames: Frames, first: int, last: int
) -> dict[str, np.ndarray]:
    """Return views of the results of the frames from `first` to `last - 1`."""
    begin, end = frames.frame_row[first], frames.frame_row[last]
    return {
        name: value[first:last] if PROPERTIES[name].of == FRAME else value[begin:end]
        for name, value in result.items()
    }
