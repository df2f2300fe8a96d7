"""Which frames come next: a pure function of the seed and the step; a restart needs the step only.

A step draws a system by its probability. The visits of a system walk through its frames in one
shuffled order per epoch, `batch_size` frames a visit, so that every frame comes once per epoch.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from deeptf.data.batch import Batch
from deeptf.data.options import DataOptions, batch_sizes, system_probabilities
from deeptf.data.system import System

BLOCK = 4096  # steps whose systems are drawn together


class BatchSchedule:
    """Batches by step.

    systems : open systems, those of `options.systems`.
    options : batch_size, auto_prob and sys_probs of the input file.
    seed : the same seed gives the same batches; other numbers of steps change nothing.
    """

    def __init__(self, systems: Sequence[System], options: DataOptions, seed: int = 0) -> None:
        if not systems:
            raise ValueError("`systems` must hold at least one system, got none")
        self.systems = list(systems)
        frames = [system.num_frames for system in systems]
        atoms = [system.num_atoms for system in systems]
        self.batch_sizes = batch_sizes(options.batch_size, frames, atoms)
        batches = [n / size for n, size in zip(frames, self.batch_sizes, strict=True)]
        self.probabilities = system_probabilities(options.auto_prob, options.sys_probs, batches)
        self._seed = seed
        self._lock = threading.Lock()
        self._blocks: list[np.ndarray] = []  # system of each step
        self._visits = [np.zeros(len(systems), np.int64)]  # visits of each system before a block
        self._orders: dict[int, tuple[int, np.ndarray]] = {}  # system -> (epoch, order of frames)

    def batch_at(self, step: int) -> Batch:
        """Return the batch of `step` (from 0)."""
        system, frames = self.frames_at(step)
        return self.systems[system].batch(frames)

    def frames_at(self, step: int) -> tuple[int, list[int]]:
        """Return the system of `step` and its frames."""
        with self._lock:
            system, visit = self._visit(step)
            size, total = self.batch_sizes[system], self.systems[system].num_frames
            places = range(visit * size, (visit + 1) * size)
            return system, [
                int(self._order(system, place // total)[place % total]) for place in places
            ]

    def _visit(self, step: int) -> tuple[int, int]:
        """Return the system of a step and how often it was visited before."""
        block, place = divmod(step, BLOCK)
        while len(self._blocks) <= block:
            random = np.random.default_rng([self._seed, 1, len(self._blocks)])
            drawn = random.choice(len(self.systems), size=BLOCK, p=self.probabilities)
            count = np.bincount(drawn, minlength=len(self.systems))
            self._blocks.append(drawn.astype(np.int32))
            self._visits.append(self._visits[-1] + count)
        drawn = self._blocks[block]
        system = int(drawn[place])
        return system, int(self._visits[block][system] + np.sum(drawn[:place] == system))

    def _order(self, system: int, epoch: int) -> np.ndarray:
        known = self._orders.get(system)
        if known is None or known[0] != epoch:
            random = np.random.default_rng([self._seed, 2, system, epoch])
            known = (epoch, random.permutation(self.systems[system].num_frames))
            self._orders[system] = known
        return known[1]
