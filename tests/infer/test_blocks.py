"""Cutting pairs into blocks: every centre once, sizes within the limit, atoms numbered anew."""

import numpy as np
import pytest

from deeptf.data.batch import Pairs
from deeptf.infer.blocks import block_atoms, blocks, frame_groups

NONE = np.zeros(0, int)


def test_groups_of_frames():
    start = np.array([0, 3, 3, 8, 20, 22])
    assert list(frame_groups(start, 8)) == [(0, 3), (3, 4), (4, 5)]
    assert list(frame_groups(start, 1)) == [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    assert list(frame_groups(start, 10**12)) == [(0, 5)]
    assert list(frame_groups(np.array([0]), 8)) == []


@pytest.mark.parametrize("limit", [1, 5, 17, 40, 10**9])
def test_every_centre_is_in_one_block_within_the_limit(limit):
    rng = np.random.default_rng(limit)
    frame_row = np.cumsum([0, *rng.integers(0, 9, 12)])
    size = np.cumsum([0, *rng.integers(0, 7, frame_row[-1])])
    found = list(blocks(size, frame_row, limit))
    covered = np.concatenate([np.arange(block.first, block.last) for block in found])
    np.testing.assert_array_equal(covered, np.arange(frame_row[-1]))
    for block in found:
        within = size[block.last] - size[block.first] <= limit
        assert within or block.last - block.first == 1
        assert frame_row[block.first_frame] <= block.first
        assert block.last <= frame_row[block.last_frame]
        if block.last_frame - block.first_frame > 1:  # several frames are whole frames
            assert frame_row[block.first_frame] == block.first
            assert frame_row[block.last_frame] == block.last


def test_atoms_of_a_block():
    row = np.array([0, 2, 3, 6, 6], np.int32)
    neighbor = np.array([1, 4, 0, 5, 1, 5], np.int32)
    displacement = np.arange(18.0).reshape(6, 3)
    (block,) = [b for b in blocks(row, np.array([0, 4]), 3) if b.first == 2]
    atoms, part = block_atoms(Pairs(row, neighbor, displacement), block, NONE, 6)
    assert (block.first, block.last) == (2, 4)
    assert atoms.tolist() == [2, 3, 1, 5]
    assert part.row.tolist() == [0, 3, 3]
    assert atoms[part.neighbor].tolist() == [5, 1, 5]
    np.testing.assert_array_equal(part.displacement, displacement[3:])


def test_atoms_of_a_block_before_others():
    row = np.array([0, 2, 3, 6, 7], np.int32)
    neighbor = np.array([1, 4, 0, 5, 1, 5, 0], np.int32)
    first = next(blocks(row, np.array([0, 4]), 3))
    atoms, part = block_atoms(Pairs(row, neighbor, np.zeros((7, 3))), first, NONE, 6)
    assert (first.first, first.last) == (0, 2)
    assert atoms.tolist() == [0, 1, 4]
    assert part.row.tolist() == [0, 2, 3]
    assert part.neighbor.tolist() == [1, 2, 0]
