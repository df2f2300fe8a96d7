"""One section of data in the input: its systems, and how often each of them is used."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from deeptf.data.options import (
    DataOptions,
    batch_sizes,
    mixed_frames,
    most_atoms,
    system_probabilities,
)
from deeptf.data.system import System


class Section:
    """Systems with what batch_size, auto_prob and sys_probs say of them.

    systems : open systems, those of `options.systems`.
    options : keys of the input file.

    `systems` are those that batch_size does not leave out; of each of them there are `frames` in an
    epoch, `batch_sizes` frames in a draw and `probabilities` of a draw. A step draws `draws` times;
    after `epoch_steps` steps the frames of each system that is drawn at all have come once, on
    average. Raises ValueError where no system is left.
    """

    def __init__(self, systems: Sequence[System], options: DataOptions) -> None:
        if not systems:
            raise ValueError("`systems` must hold at least one system, got none")
        self.most_atoms = most_atoms(options.batch_size)  # of a system; 0 for any number
        self.systems = [s for s in systems if not self.most_atoms or s.num_atoms <= self.most_atoms]
        self.left_out = len(systems) - len(self.systems)
        if not self.systems:
            raise ValueError(
                f"`batch_size` must leave some system, got {options.batch_size!r} and systems of "
                f"{min(system.num_atoms for system in systems)} atoms or more"
            )
        self.frames = [int(system.copies.sum()) for system in self.systems]
        atoms = [system.num_atoms for system in self.systems]
        self.batch_sizes = batch_sizes(options.batch_size, self.frames, atoms)
        batches = [n / size for n, size in zip(self.frames, self.batch_sizes, strict=True)]
        self.probabilities = system_probabilities(options.auto_prob, options.sys_probs, batches)
        self.draws = mixed_frames(options.batch_size) or 1
        drawn = self.probabilities > 0
        draws = np.array(batches)[drawn] / self.probabilities[drawn]  # of an epoch
        self.epoch_steps = math.ceil(np.round(draws.max(), 6) / self.draws)
