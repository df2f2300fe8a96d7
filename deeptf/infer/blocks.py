"""Cut the pairs of many frames into blocks of bounded size, each a small system of its own.

The energy is a sum over centres, so any run of centres can be evaluated alone: frames that fit are
kept whole, a larger frame is cut between its atoms. With `hops` h the energy of a centre depends on
atoms up to h steps along pairs away. The atoms of a block are

    its own centres, whose energy counts;
    further centres, up to h - 1 steps from them, which come with all of their pairs;
    the other neighbours of these, like the ghost atoms of an MD engine.

With h = 1, where a centre needs its own pairs only, there are no further centres.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deeptf.data.batch import Pairs, rows_of


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


def with_further(
    block: Block, pairs: Pairs, hops: int, size: np.ndarray, limit: int
) -> Iterator[tuple[Block, np.ndarray]]:
    """Yield a block and its further centres; it is halved while these make it larger than `limit`.

    size : [N + 1] as for `blocks`.
    """
    further = further_centres(pairs, block.first, block.last, hops)
    total = size[block.last] - size[block.first] + np.sum(size[further + 1] - size[further])
    if not len(further) or total <= limit or block.last - block.first < 2:
        yield block, further
        return
    middle = (block.first + block.last) // 2
    for first, last in ((block.first, middle), (middle, block.last)):
        half = Block(block.first_frame, block.last_frame, first, last)
        yield from with_further(half, pairs, hops, size, limit)


def further_centres(pairs: Pairs, first: int, last: int, hops: int) -> np.ndarray:
    """Return the centres up to hops - 1 steps along pairs from `first` to `last - 1`, ascending.

    Neighbours that are no centres of `pairs` are not among them.
    """
    near = np.zeros(len(pairs.row) - 1, bool)
    near[first:last] = True
    newest = np.arange(first, last)
    for _ in range(hops - 1):
        reached = pairs.neighbor[_places(pairs.row, newest)]
        newest = np.unique(reached[reached < len(near)])
        newest = newest[~near[newest]]
        near[newest] = True
        if not len(newest):
            break
    near[first:last] = False
    return np.flatnonzero(near)


def block_atoms(
    pairs: Pairs, block: Block, further: np.ndarray, num_all: int
) -> tuple[np.ndarray, Pairs]:
    """Return the atoms of a block, its own centres first, and its pairs, numbered by these atoms.

    further : its further centres, which come next.
    """
    begin, end = pairs.row[block.first], pairs.row[block.last]
    row = pairs.row[block.first : block.last + 1] - begin
    own = slice(begin, end)
    neighbor, displacement = pairs.neighbor[own], pairs.displacement[own]
    if len(further):
        places = _places(pairs.row, further)
        neighbor = np.concatenate([neighbor, pairs.neighbor[places]])
        displacement = np.concatenate([displacement, pairs.displacement[places]])
        count = pairs.row[further + 1] - pairs.row[further]
        row = rows_of(np.concatenate([np.diff(row), count]))
    centres = np.concatenate([np.arange(block.first, block.last), further])
    outside = np.zeros(num_all, bool)
    outside[neighbor] = True
    outside[centres] = False
    atoms = np.concatenate([centres, np.flatnonzero(outside)])
    local = np.empty(num_all, np.int32)
    local[atoms] = np.arange(len(atoms), dtype=np.int32)
    return atoms, Pairs(row, local[neighbor], displacement)


def _places(row: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return where the pairs of these centres are."""
    count = row[centres + 1] - row[centres]
    shift = row[centres] - (np.cumsum(count) - count)
    return np.repeat(shift, count) + np.arange(count.sum())
