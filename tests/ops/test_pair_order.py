"""SortPairs against its twin: order, ghosts, virtual and foreign atoms, errors, threads."""

import numpy as np
import pytest
import twins

from deeptf.ops.pairs import sort_pairs
from deeptf.tf import session, tf


def random_list(centres, ghosts, types, seed=0, virtual=False):
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 9, centres)
    row = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    neighbor = rng.integers(0, max(centres + ghosts, 1), row[-1]).astype(np.int32)
    atom_type = rng.integers(-1 if virtual else 0, types, centres + ghosts).astype(np.int32)
    return row, neighbor, rng.normal(size=(row[-1], 3)), atom_type


def sort(row, neighbor, displacement, atom_type, num_types, num_owned=None, threads=1):
    with tf.Graph().as_default():
        out = sort_pairs(
            np.asarray(row, np.int32),
            np.asarray(neighbor, np.int32),
            displacement,
            np.asarray(atom_type, np.int32),
            num_types,
            num_owned,
        )
        with session(threads=threads) as run:
            return run.run(out)


@pytest.mark.parametrize("virtual", [False, True])
@pytest.mark.parametrize(("centres", "ghosts"), [(30, 0), (20, 15), (1, 0), (0, 3), (0, 0)])
def test_same_as_twin(centres, ghosts, virtual):
    pairs = random_list(centres, ghosts, 3, virtual=virtual)
    got, want = sort(*pairs, 3), twins.sort_pairs(*pairs, 3)
    for name, a, b in zip(got._fields, got, want, strict=True):
        assert a.dtype == b.dtype, name
        np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.mark.parametrize("num_owned", [0, 1, 13, 20])
def test_centres_that_are_not_owned_are_neighbors_only(num_owned):
    pairs = random_list(20, 15, 3, virtual=True)
    got = sort(*pairs, 3, num_owned, threads=4)
    for a, b in zip(got, twins.sort_pairs(*pairs, 3, num_owned), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (got.atom_order < num_owned).all() and (got.centre < num_owned).all()
    assert num_owned < 2 or got.neighbor.max() >= 20


def test_owning_all_centres_is_the_default():
    pairs = random_list(20, 15, 3)
    for a, b in zip(sort(*pairs, 3), sort(*pairs, 3, 20), strict=True):
        assert a.tobytes() == b.tobytes()


def test_pairs_of_a_foreign_centre_are_not_looked_at():
    row, neighbor, displacement, atom_type = random_list(20, 0, 2)
    displacement[row[10] :], neighbor[row[10] :] = np.nan, 99
    assert sort(row, neighbor, displacement, atom_type, 2, 10).pair_count.sum() == row[10]


@pytest.mark.parametrize("virtual", [False, True])
def test_runs_and_reverse_index_find_the_pairs_of_an_atom(virtual):
    got = sort(*random_list(30, 9, 3, virtual=virtual), 3, 25)
    ends = got.first_pair + got.neighbor_count
    for k, atom in enumerate(got.atom_order):
        own = [p for a, b in zip(got.first_pair[k], ends[k], strict=True) for p in range(a, b)]
        assert own == np.flatnonzero(got.centre == atom).tolist()
    for atom in range(39):
        reverse = got.pair_of[got.pair_row[atom] : got.pair_row[atom + 1]]
        assert reverse.tolist() == np.flatnonzero(got.neighbor == atom).tolist()


def test_a_type_without_atoms_has_empty_blocks():
    row, neighbor, displacement, atom_type = random_list(12, 0, 2)
    got = sort(row, neighbor, displacement, atom_type * 2, 4)
    assert got.atom_count[[1, 3]].tolist() == [0, 0]
    assert not got.pair_count[[1, 3]].any() and not got.pair_count[:, [1, 3]].any()
    assert got.pair_count.sum() == len(neighbor)


def test_threads_do_not_change_bits():
    pairs = random_list(3000, 50, 3, virtual=True)
    for a, b in zip(sort(*pairs, 3, threads=1), sort(*pairs, 3, threads=4), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"row": [0, 2, 1, 2]}, "`row` must start at 0 and not decrease, got 2 and 1 at atom 1"),
        ({"row": [1, 1, 1, 2]}, "`row` must start at 0 and not decrease, got 1 first"),
        ({"row": [2]}, "`row` must start at 0 and not decrease, got 2 first"),
        ({"row": [0, 1, 1, 3]}, "`row` must end at the number of pairs 2, got 3"),
        ({"row": [0, 0, 0, 0, 2]}, "`row` must have 1 to 4 elements, .* got 5"),
        ({"neighbor": [1, 3]}, "`neighbor` must be an atom index below 3, got 3 at pair 1"),
        ({"neighbor": [-1, 0]}, "`neighbor` must be an atom index below 3, got -1 at pair 0"),
        (
            {"atom_type": [0, 2, 1]},
            "`atom_type` must be below the number of types 2, got 2 at atom 1",
        ),
        (
            {"displacement": np.zeros((3, 3))},
            r"`displacement` must have shape \[2,3\], got \[3,3\]",
        ),
        (
            {"displacement": [[1.0, 0, 0], [0, 0, 0]]},
            r"finite and at least 1e-6 A long, got \[0.0*, 0.0*, 0.0*\] from atom 1 to atom 0",
        ),
        ({"displacement": [[np.nan, 0, 0], [1, 0, 0]]}, "got .nan.* from atom 0 to atom 1"),
        ({"displacement": [[1, 0, 0], [1, -np.inf, 0]]}, "got .*-inf.* from atom 1 to atom 0"),
        ({"num_owned": -1}, "`num_owned` must be from 0 to the number of centres 3, got -1"),
        ({"num_owned": 4}, "`num_owned` must be from 0 to the number of centres 3, got 4"),
    ],
)
def test_errors(change, message):
    pairs = {
        "row": [0, 1, 2, 2],
        "neighbor": [1, 0],
        "displacement": np.ones((2, 3)),
        "atom_type": [0, 1, 1],
    }
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        sort(**{**pairs, **change}, num_types=2)


def test_num_owned_is_one_number():
    with pytest.raises(ValueError, match="Shape must be rank 0 but is rank 1"):
        sort(*random_list(3, 0, 2), 2, [1])


def test_shapes_are_known_before_running():
    with tf.Graph().as_default():
        pairs = sort_pairs(
            tf.placeholder(tf.int32, [None]),
            tf.placeholder(tf.int32, [None]),
            tf.placeholder(tf.float64, [None, 3]),
            tf.placeholder(tf.int32, [None]),
            3,
        )
    assert [t.shape.as_list() for t in pairs] == [
        [None], [3], [None, 3], [3, 3], [None], [None], [None, 3], [None, 3], [None], [None],
    ]  # fmt: skip
