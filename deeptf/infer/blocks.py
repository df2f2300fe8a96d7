"""Cut the pairs of many frames into blocks of bounded size, each a small system of its own.

The energy is a sum over centre atoms, and a centre needs its own pairs only. So any run of centres
can be evaluated alone: frames that fit are kept whole, a larger frame is cut between its atoms. The
atoms of a block are its centres, then those neighbours that lie outside it (like the ghost atoms of
an MD engine).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deeptf.data.batch import Pairs


@dataclass(frozen=True)
class Block:
    """Frames `first_frame` to `last_frame - 1` and of these the centres `first` to `last - 1`."""

    first_frame: int
    last_frame: int
    first: int
    last: int


def frame_groups(start: np.ndarray, limit: int) -> Iterator[tuple[int, int]]:
    """Yield ranges (first, last) of frames with start[last] - start[first] <= limit.

    start : [F + 1] where each frame starts, in atoms say; a frame above the limit comes alone.
    """
    first, end = 0, len(start) - 1
    while first < end:
        last = int(np.searchsorted(start, int(start[first]) + limit, side="right")) - 1
        last = min(max(last, first + 1), end)
        yield first, last
        first = last


def blocks(size: np.ndarray, frame_row: np.ndarray, limit: int) -> Iterator[Block]:
    """Yield blocks of size at most `limit`; a single centre above it comes alone.

    size : [N + 1] size of all centres before each centre, never falling (bytes, say).
    """
    for first_frame, last_frame in frame_groups(size[frame_row], limit):
        first, last = int(frame_row[first_frame]), int(frame_row[last_frame])
        if last_frame - first_frame > 1 or size[last] - size[first] <= limit:
            yield Block(first_frame, last_frame, first, last)
            continue
        for a, b in frame_groups(size[first : last + 1], limit):
            yield Block(first_frame, last_frame, first + a, first + b)


def block_atoms(pairs: Pairs, block: Block, num_all: int) -> tuple[np.ndarray, Pairs]:
    """Return the atoms of a block (its centres first) and its pairs, numbered by these atoms."""
    first, last = block.first, block.last
    begin, end = pairs.row[first], pairs.row[last]
    neighbor = pairs.neighbor[begin:end]
    outside = np.zeros(num_all, bool)
    outside[neighbor] = True
    outside[first:last] = False
    atoms = np.concatenate([np.arange(first, last), np.flatnonzero(outside)])
    local = np.empty(num_all, np.int32)
    local[atoms] = np.arange(len(atoms), dtype=np.int32)
    row = pairs.row[first : last + 1] - begin
    return atoms, Pairs(row, local[neighbor], pairs.displacement[begin:end])
