"""Which frames come next: a pure function of the seed and the step; a restart needs the step only.

A step draws a system by its probability; with batch_size "mixed:N" it draws N times. The draws of a
system walk through its frames in one shuffled order per epoch, `batch_size` frames a draw ("mixed":
one), so that every frame comes once per epoch, or as often as numb_copy.npy says. Draws of one
frame are kept in memory as far as they fit there and are not read again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np

from deeptf.data.batch import Batch, join
from deeptf.data.options import (
    DataOptions,
    batch_sizes,
    mixed_frames,
    most_atoms,
    system_probabilities,
)
from deeptf.data.system import System

BLOCK = 4096  # draws made together
KEPT_BYTES = 1 << 28  # of frames in memory


class BatchSchedule:
    """Batches by step.

    systems : open systems, those of `options.systems`.
    options : batch_size, auto_prob and sys_probs of the input file.
    seed : the same seed gives the same batches; other numbers of steps change nothing.

    `systems` are those that batch_size does not leave out as too large; `epoch_steps` says after
    how many steps the frames of each system that is drawn at all have come once, on average.
    Raises ValueError where it leaves out all.
    """

    def __init__(self, systems: Sequence[System], options: DataOptions, seed: int = 0) -> None:
        if not systems:
            raise ValueError("`systems` must hold at least one system, got none")
        self.most_atoms = most_atoms(options.batch_size)
        self.systems = _not_larger(systems, self.most_atoms, options.batch_size)
        self.left_out = len(systems) - len(self.systems)
        frames = [int(system.copies.sum()) for system in self.systems]  # of an epoch
        atoms = [system.num_atoms for system in self.systems]
        self.batch_sizes = batch_sizes(options.batch_size, frames, atoms)
        batches = [n / size for n, size in zip(frames, self.batch_sizes, strict=True)]
        self.probabilities = system_probabilities(options.auto_prob, options.sys_probs, batches)
        self.draws = mixed_frames(options.batch_size) or 1  # in a step
        drawn = self.probabilities > 0
        draws = np.array(batches)[drawn] / self.probabilities[drawn]  # of an epoch
        self.epoch_steps = math.ceil(np.round(draws.max(), 6) / self.draws)
        self._frames, self._seed = frames, seed
        self._made_of = systems, options, seed
        self._lock = threading.Lock()
        self._drawn: tuple[int, np.ndarray] | None = None  # the latest block: number, systems
        self._visits = [np.zeros(len(self.systems), np.int64)]  # draws of each before a block
        self._orders: dict[int, tuple[int, np.ndarray]] = {}  # system -> (epoch, order of frames)
        self._kept: dict[tuple[int, int], Batch] = {}  # (system, frame) -> the frame
        self._free = KEPT_BYTES

    def __reduce__(self) -> tuple:
        return BatchSchedule, self._made_of

    def batch_at(self, step: int) -> Batch:
        """Return the batch of `step` (from 0)."""
        return join([self._read(s, frames) for s, frames in self.frames_at(step)])

    def frames_at(self, step: int) -> list[tuple[int, list[int]]]:
        """Return the systems of `step`, each once in the order drawn, with their frames."""
        chosen: dict[int, list[int]] = {}
        with self._lock:
            for draw in range(step * self.draws, (step + 1) * self.draws):
                system, visit = self._visit(draw)
                size, total = self.batch_sizes[system], self._frames[system]
                for place in range(visit * size, (visit + 1) * size):
                    frame = int(self._order(system, place // total)[place % total])
                    chosen.setdefault(system, []).append(frame)
        return list(chosen.items())

    def _read(self, system: int, frames: list[int]) -> Batch:
        if len(frames) > 1:
            return self.systems[system].batch(frames)
        place = (system, frames[0])
        if place in self._kept:
            return self._kept[place]
        batch = self.systems[system].batch(frames)
        if batch.nbytes <= self._free:
            self._kept[place] = batch
            self._free -= batch.nbytes
        return batch

    def _visit(self, draw: int) -> tuple[int, int]:
        """Return the system of a draw and how often it was drawn before."""
        block, place = divmod(draw, BLOCK)
        while len(self._visits) <= block:
            count = np.bincount(self._block(len(self._visits) - 1), minlength=len(self.systems))
            self._visits.append(self._visits[-1] + count)
        drawn = self._block(block)
        system = int(drawn[place])
        return system, int(self._visits[block][system] + np.sum(drawn[:place] == system))

    def _block(self, block: int) -> np.ndarray:
        """Return the systems of the draws of a block."""
        if self._drawn is None or self._drawn[0] != block:
            random = np.random.default_rng([self._seed, 1, block])
            drawn = random.choice(len(self.systems), size=BLOCK, p=self.probabilities)
            self._drawn = (block, drawn)
        return self._drawn[1]

    def _order(self, system: int, epoch: int) -> np.ndarray:
        known = self._orders.get(system)
        if known is None or known[0] != epoch:
            random = np.random.default_rng([self._seed, 2, system, epoch])
            copies = self.systems[system].copies
            frames = np.repeat(np.arange(len(copies)), copies)
            known = (epoch, frames[random.permutation(len(frames))])
            self._orders[system] = known
        return known[1]


def _not_larger(
    systems: Sequence[System], limit: int, batch_size: int | str | Sequence[int]
) -> list[System]:
    """Return the systems of at most `limit` atoms (0: any), of which there must be some."""
    kept = [system for system in systems if not limit or system.num_atoms <= limit]
    if not kept:
        raise ValueError(
            f"`batch_size` must leave some system, got {batch_size!r} and systems of "
            f"{min(system.num_atoms for system in systems)} atoms or more"
        )
    return kept
