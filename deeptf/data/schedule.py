"""Which frames come next: a pure function of the seed and the step; a restart needs the step only.

A step draws a system by its probability; with batch_size "mixed:N" it draws N times. The draws of a
system walk through its frames in one shuffled order per epoch, `batch_size` frames a draw ("mixed":
one), so that every frame comes once per epoch, or as often as numb_copy.npy says. Frames are kept
in memory as far as they fit there and are not read again, and their pairs as far as frames leave
room: coordinates stay as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from deeptf.data.batch import Batch, Pairs, join
from deeptf.data.section import Section

BLOCK = 4096  # draws made together
KEPT_BYTES = 1 << 28  # of frames in memory, with their pairs


class BatchSchedule:
    """Batches by step.

    section : systems and how often each is used.
    seed : the same seed gives the same batches; other numbers of steps change nothing.
    """

    def __init__(self, section: Section, seed: int = 0) -> None:
        self._section, self._systems, self._seed = section, section.systems, seed
        self._lock = threading.Lock()
        self._drawn: tuple[int, np.ndarray] | None = None  # the latest block: number, systems
        self._visits = [np.zeros(len(self._systems), np.int64)]  # draws of each before a block
        self._orders: dict[int, tuple[int, np.ndarray]] = {}  # system -> (epoch, order of frames)
        self._kept: dict[tuple[int, int], Batch] = {}  # (system, frame) -> the frame
        self._free, self._full = KEPT_BYTES, False
        self._find_pairs: Callable[[Batch], Pairs] | None = None
        self._keeping = threading.Lock()

    def batch_at(self, step: int) -> Batch:
        """Return the batch of `step` (from 0)."""
        with self._keeping:
            draws = [self._read(s, frames) for s, frames in self.frames_at(step)]
        return join([batch for draw in draws for batch in draw])

    def keep_pairs(self, find_pairs: Callable[[Batch], Pairs]) -> None:
        """Keep the pairs of the frames too that come from now on; `find_pairs` finds them."""
        self._find_pairs = find_pairs

    def frames_at(self, step: int) -> list[tuple[int, list[int]]]:
        """Return the systems of `step`, each once in the order drawn, with their frames."""
        chosen: dict[int, list[int]] = {}
        draws = self._section.draws
        with self._lock:
            for draw in range(step * draws, (step + 1) * draws):
                system, visit = self._visit(draw)
                size, total = self._section.batch_sizes[system], self._section.frames[system]
                for place in range(visit * size, (visit + 1) * size):
                    frame = int(self._order(system, place // total)[place % total])
                    chosen.setdefault(system, []).append(frame)
        return list(chosen.items())

    def _read(self, system: int, frames: list[int]) -> list[Batch]:
        """Return frames of a system: one by one as they are kept, all together without room."""
        kept = [self._keep(system, frame) for frame in frames]
        together = any(batch is None for batch in kept)
        return [self._systems[system].batch(frames)] if together else kept

    def _keep(self, system: int, frame: int) -> Batch | None:
        """Return a frame that is in memory, or read it as long as there is room; else None."""
        place = (system, frame)
        if place in self._kept:
            return self._kept[place]
        if self._full:
            return None
        batch = self._systems[system].batch([frame])
        self._full = not self._make_room(batch.nbytes)
        if self._full:
            return batch
        self._free -= batch.nbytes
        self._kept[place] = self._with_pairs(batch)
        return self._kept[place]

    def _make_room(self, nbytes: int) -> bool:
        """Return whether so many bytes are free, after frames have lost their pairs if need be."""
        for place, batch in self._kept.items():
            if self._free >= nbytes:
                break
            if batch.pairs is not None:
                self._find_pairs = None  # there is no room for more
                self._free += batch.pairs.nbytes
                self._kept[place] = replace(batch, pairs=None)
        return self._free >= nbytes

    def _with_pairs(self, batch: Batch) -> Batch:
        """Return the frame with its pairs where there is room for them."""
        if self._find_pairs is None:
            return batch
        pairs = self._find_pairs(batch)
        if pairs.nbytes > self._free:
            return batch
        self._free -= pairs.nbytes
        return replace(batch, pairs=pairs)

    def _visit(self, draw: int) -> tuple[int, int]:
        """Return the system of a draw and how often it was drawn before."""
        block, place = divmod(draw, BLOCK)
        while len(self._visits) <= block:
            count = np.bincount(self._block(len(self._visits) - 1), minlength=len(self._systems))
            self._visits.append(self._visits[-1] + count)
        drawn = self._block(block)
        system = int(drawn[place])
        return system, int(self._visits[block][system] + np.sum(drawn[:place] == system))

    def _block(self, block: int) -> np.ndarray:
        """Return the systems of the draws of a block."""
        if self._drawn is None or self._drawn[0] != block:
            random = np.random.default_rng([self._seed, 1, block])
            drawn = random.choice(len(self._systems), size=BLOCK, p=self._section.probabilities)
            self._drawn = (block, drawn)
        return self._drawn[1]

    def _order(self, system: int, epoch: int) -> np.ndarray:
        known = self._orders.get(system)
        if known is None or known[0] != epoch:
            random = np.random.default_rng([self._seed, 2, system, epoch])
            copies = self._systems[system].copies
            frames = np.repeat(np.arange(len(copies)), copies)
            known = (epoch, frames[random.permutation(len(frames))])
            self._orders[system] = known
        return known[1]
