"""NeighborPairs against the brute-force twin: cells of all kinds, images, errors, threads."""

import numpy as np
import pytest
import twins

from deeptf.ops.pairs import neighbor_pairs
from deeptf.tf import session, tf

NO_CELL = np.zeros((3, 3))
CUBE = np.eye(3) * 7.0
LEFT_HANDED = np.diag([7.0, 6.0, -8.0])
OBLIQUE = np.array([[7.0, 0.3, -0.2], [3.4, 6.0, 0.1], [-2.9, 3.1, 5.0]])
FLAT = np.array([[2.5, 0.0, 0.0], [1.0, 12.0, 0.0], [0.0, 0.0, 30.0]])


def pairs_of(coord, cell, atom_type, frame_row, rcut, threads=1):
    with tf.Graph().as_default():
        out = neighbor_pairs(
            np.asarray(coord, float).reshape(-1, 3),
            np.asarray(cell, float).reshape(-1, 3, 3),
            np.asarray(atom_type, np.int32),
            np.asarray(frame_row, np.int32),
            rcut,
        )
        with session(threads=threads) as run:
            return run.run(out)


def check(coord, cell, atom_type, frame_row, rcut):
    got = pairs_of(coord, cell, atom_type, frame_row, rcut)
    want = twins.neighbor_pairs(coord, np.reshape(cell, (-1, 3, 3)), atom_type, frame_row, rcut)
    np.testing.assert_array_equal(got[0], want[0])
    np.testing.assert_array_equal(got[1], want[1])
    np.testing.assert_allclose(got[2], want[2], atol=1e-12)
    return got


def atoms_in(cell, number, seed=0, types=3):
    rng = np.random.default_rng(seed)
    box = cell if cell.any() else np.eye(3) * 9.0
    return rng.random((number, 3)) @ box, rng.integers(0, types, number).astype(np.int32)


@pytest.mark.parametrize("rcut", [0.9, 2.5, 6.0])
@pytest.mark.parametrize(
    "cell",
    [NO_CELL, CUBE, LEFT_HANDED, OBLIQUE, FLAT],
    ids=["no cell", "cube", "left-handed", "oblique", "flat"],
)
def test_same_pairs_as_brute_force(cell, rcut):
    coord, atom_type = atoms_in(cell, 17)
    check(coord, cell, atom_type, [0, 17], rcut)


def test_several_images_of_one_atom():
    row, neighbor, displacement = check(np.zeros((1, 3)), np.eye(3) * 2.0, [0], [0, 1], 4.1)
    assert row[-1] == 32 and not neighbor.any()  # 6 + 12 + 8 + 6 lattice points
    np.testing.assert_allclose(displacement.sum(0), 0, atol=1e-14)


def test_atoms_outside_the_cell_see_the_same_displacements():
    coord, atom_type = atoms_in(OBLIQUE, 12)
    image = np.random.default_rng(1).integers(-2, 3, (12, 3))
    check(coord + image @ OBLIQUE, OBLIQUE, atom_type, [0, 12], 5.0)
    moved = coord + 20 * image @ OBLIQUE
    inside = pairs_of(coord, OBLIQUE, atom_type, [0, 12], 5.0)
    outside = pairs_of(moved, OBLIQUE, atom_type, [0, 12], 5.0)
    np.testing.assert_array_equal(inside[1], outside[1])
    np.testing.assert_allclose(inside[2], outside[2], atol=1e-10)


def test_atoms_on_the_faces_and_a_perfect_lattice():
    grid = np.stack(np.meshgrid(*[np.arange(4)] * 3), -1).reshape(-1, 3) * 1.5
    cell = np.eye(3) * 6.0
    coord = np.concatenate([grid, [[6.0 - 1e-17, 5.25, -1e-18]]])
    check(coord, cell, np.zeros(65, np.int32), [0, 65], 1.9)
    row, _, displacement = pairs_of(grid, cell, np.zeros(64, np.int32), [0, 64], 1.5 + 1e-9)
    assert (np.diff(row) == 6).all()
    np.testing.assert_allclose(np.linalg.norm(displacement, axis=1), 1.5)


def test_frames_of_different_size_and_kind():
    frames = [(CUBE, 9), (NO_CELL, 1), (OBLIQUE, 0), (LEFT_HANDED, 13), (NO_CELL, 6)]
    parts = [atoms_in(cell, n, seed) for seed, (cell, n) in enumerate(frames)]
    coord, atom_type = (np.concatenate(part) for part in zip(*parts, strict=True))
    frame_row = np.cumsum([0] + [n for _, n in frames])
    check(coord, np.stack([cell for cell, _ in frames]), atom_type, frame_row, 3.5)


def test_virtual_atoms_have_no_pairs():
    coord, atom_type = atoms_in(CUBE, 10)
    atom_type[[2, 7]] = -1
    coord[7] = np.nan  # the place of a virtual atom does not matter
    row, neighbor, _ = pairs_of(coord, CUBE, atom_type, [0, 10], 4.0)
    assert row[3] == row[2] and row[8] == row[7]
    assert not np.isin([2, 7], neighbor).any()


def test_empty_input():
    row, neighbor, displacement = pairs_of(np.zeros((0, 3)), np.zeros((0, 9)), [], [0], 3.0)
    assert row.tolist() == [0] and neighbor.shape == (0,) and displacement.shape == (0, 3)
    assert pairs_of([[0, 0, 0]], NO_CELL, [0], [0, 1], 3.0)[0].tolist() == [0, 0]


def test_a_dilute_frame_needs_little_memory():
    coord = np.array([[0.0, 0, 0], [1e6, 0, 0], [1e6, 1.0, 0], [-1e8, 3e7, 2e7]])
    row, neighbor, _ = check(coord, NO_CELL, np.zeros(4, np.int32), [0, 4], 2.0)
    assert neighbor.tolist() == [2, 1]


def test_each_pair_is_seen_from_both_sides_with_opposite_bits():
    coord, atom_type = atoms_in(OBLIQUE, 40, types=1)
    row, neighbor, d = pairs_of(coord, OBLIQUE, atom_type, [0, 40], 6.0)
    centre = np.repeat(np.arange(40), np.diff(row))
    forward = sorted((i, j, *x) for i, j, x in zip(centre, neighbor, d, strict=True))
    backward = sorted((j, i, *-x) for i, j, x in zip(centre, neighbor, d, strict=True))
    assert forward == backward


def test_a_large_bin_is_searched_in_parts():
    coord, atom_type = atoms_in(np.eye(3) * 9, 150)
    check(coord, np.eye(3) * 9, atom_type, [0, 150], 5.0)


@pytest.mark.parametrize(("edge", "atoms"), [(20, 900), (9, 150)])  # many bins; a large one
def test_threads_do_not_change_bits(edge, atoms):
    coord, atom_type = atoms_in(np.eye(3) * edge, atoms)
    one = pairs_of(coord, np.eye(3) * edge, atom_type, [0, atoms], 5.0, threads=1)
    four = pairs_of(coord, np.eye(3) * edge, atom_type, [0, atoms], 5.0, threads=4)
    for a, b in zip(one, four, strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": [[5, 0, 0], [0, 5, 0], [5, 5, 0]]}, r"`cell` must have a volume .* in frame 1"),
        ({"cell": np.full((3, 3), np.nan)}, r"`cell` must have a volume .* in frame 1"),
        ({"cell": np.diag([5, 5, 1e-4])}, r"`cell` must be thicker .* vector 2 in frame 1"),
        ({"coord": np.nan}, r"`coord` must be finite .*nan in frame 1, atom 2"),
        ({"coord": np.inf}, r"`coord` must be finite .*inf in frame 1, atom 2"),
        ({"coord": 1.0}, r"atoms 0 and 2 of frame 1 on top of each other"),
        ({"rcut": 0.0}, "`rcut` must be positive and below 1e9 A, got 0"),
        ({"rcut": np.inf}, "`rcut` must be positive and below 1e9 A, got inf"),
        (
            {"frame_row": [0, 2, 5]},
            r"`frame_row` must go from 0 to the number of atoms 6, got 0 to 5",
        ),
        ({"frame_row": [0, 7, 6]}, r"`frame_row` must not decrease, got 6 after 7 at frame 1"),
        ({"frame_row": [0, 6]}, r"`frame_row` must have shape \[3\], got \[2\]"),
    ],
)
def test_errors(change, message):
    coord = np.arange(18.0).reshape(6, 3) % 7 * 0.9 + np.arange(6)[:, None] * 0.3
    coord[3] = 1.0
    if "coord" in change:
        coord[5] = change["coord"]
    cell = np.stack([CUBE, np.asarray(change.get("cell", CUBE), float)])
    frame_row = change.get("frame_row", [0, 3, 6])
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError), match=message):
        pairs_of(coord, cell, [0] * 6, frame_row, change.get("rcut", 3.0))


def test_wrong_number_of_types():
    """A length that is not known before running is checked by the op."""
    with pytest.raises(ValueError, match=r"Dimensions must be equal, but are 6 and 5 .*\[6,3\]"):
        pairs_of(np.arange(18.0), np.stack([CUBE] * 2), [0] * 5, [0, 3, 6], 3.0)
    with tf.Graph().as_default(), session() as run:
        types = tf.placeholder(tf.int32, [None])
        out = neighbor_pairs(
            np.arange(18.0).reshape(6, 3), np.stack([CUBE] * 2), types, [0, 3, 6], 3.0
        )
        with pytest.raises(
            tf.errors.InvalidArgumentError, match=r"`atom_type` must have shape \[6\], got \[5\]"
        ):
            run.run(out, {types: [0] * 5})


def test_atoms_on_top_of_each_other_through_the_cell():
    with pytest.raises(tf.errors.InvalidArgumentError, match="atoms 0 and 1 of frame 0 on top"):
        pairs_of([[0, 0, 0], [7.0, -14.0, 7.0]], CUBE, [0, 0], [0, 2], 3.0)


@pytest.mark.slow
def test_too_many_pairs():
    grid = np.stack(np.meshgrid(*[np.arange(36.0)] * 3), -1).reshape(-1, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"pairs must be below 2\^31"):
        pairs_of(grid, NO_CELL, np.zeros(len(grid)), [0, len(grid)], 100.0)


def test_shapes_are_known_before_running():
    with tf.Graph().as_default():
        coord = tf.placeholder(tf.float64, [5, 3])
        frame_row = tf.placeholder(tf.int32, [None])
        row, neighbor, displacement = neighbor_pairs(
            coord, tf.zeros([1, 3, 3], tf.float64), tf.zeros([5], tf.int32), frame_row, 3.0
        )
        assert row.shape.as_list() == [6]
        assert neighbor.shape.as_list() == [None] and displacement.shape.as_list() == [None, 3]
        with pytest.raises(ValueError, match="Shape must be rank 2 but is rank 1 .*NeighborPairs"):
            neighbor_pairs(coord[0], NO_CELL[None], [0], frame_row, 3.0)
