"""ForceVirial and AtomVirial: twins, derivatives, ghosts, frames, errors, threads."""

import numpy as np
import pytest
import twins

from deeptf.ops.force import atom_virial, force_virial
from deeptf.ops.library import library
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import session, tf


def pairs(number=60, centres=12, ghosts=5, frame_row=(0, 4, 4, 12), seed=0):
    """Return arguments of force_virial: `number` pairs of atoms of two types."""
    rng = np.random.default_rng(seed)
    count = rng.multinomial(number, np.ones(centres) / centres) if centres else []
    neighbor = rng.integers(0, centres + ghosts, number).astype(np.int32)
    atom_type = rng.integers(0, 2, centres + ghosts).astype(np.int32)
    row = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
    found = sort_pairs(row, neighbor, rng.normal(size=(number, 3)), atom_type)
    return rng.normal(size=(number, 3)), found, np.array(frame_row, np.int32)


def sort_pairs(*arrays):
    with tf.Graph().as_default():
        out = library().sort_pairs(*arrays, len(arrays[0]) - 1, num_types=2)
        with session() as run:
            return SortedPairs(*run.run(out))


def evaluate(tensors, feed=None, threads=1):
    with session(tf.get_default_graph(), threads) as run:
        return run.run(tensors, feed)


def twin(gradient, found, frame_row):
    num_all = len(found.pair_row) - 1
    ends = (found.centre, found.neighbor)
    return twins.force_virial(gradient, found.displacement, *ends, num_all, frame_row)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


@pytest.mark.parametrize("number", [0, 1, 7, 400])
def test_force_and_virial_equal_the_twin(number):
    given = pairs(number)
    for got, want in zip(evaluate(force_virial(*given)), twin(*given), strict=True):
        np.testing.assert_allclose(got, want, atol=1e-12)


@pytest.mark.parametrize("number", [0, 300])
def test_atom_virial_equals_the_twin_and_adds_up(number):
    gradient, found, frame_row = pairs(number, frame_row=(0, 12))
    got = evaluate(atom_virial(gradient, found))
    want = twins.atom_virial(gradient, found.displacement, found.neighbor, 17)
    np.testing.assert_allclose(got, want, atol=1e-12)
    total = got.sum(0).reshape(3, 3)
    virial = twin(gradient, found, frame_row)[1].reshape(3, 3)
    np.testing.assert_allclose(total, virial, atol=1e-12)


def test_no_atoms_and_no_frames():
    force, virial = evaluate(force_virial(*pairs(0, 0, 0, frame_row=(0,))))
    assert force.shape == (0, 3) and virial.shape == (0, 9)


def test_centres_that_are_not_owned_feel_forces_only_as_neighbors():
    gradient, found, frame_row = pairs(200)
    arrays = (np.array([0, 3, 5, 9], np.int32), found.neighbor[:9], gradient[:9])
    types = np.zeros(17, np.int32)
    owned = [library().sort_pairs(*arrays, types, n, num_types=1) for n in (2, 3)]
    some, every = (SortedPairs(*found) for found in evaluate(owned))
    np.testing.assert_array_equal(some.centre, every.centre[:5])
    g, frames = gradient[:5], np.array([0, 3], np.int32)
    full = np.concatenate([g, np.zeros((4, 3))])
    for a, b in zip(
        evaluate(force_virial(g, some, frames)),
        evaluate(force_virial(full, every, frames)),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=1e-14)


def test_derivatives_against_differences():
    gradient, found, frame_row = pairs(15)
    g = tf.placeholder(tf.float64, [None, 3])
    r = tf.placeholder(tf.float64, [None, 3])
    start = {g: gradient, r: found.displacement}
    force, virial = force_virial(g, found._replace(displacement=r), frame_row)
    first = tf.reduce_sum(tf.sin(force)) + tf.reduce_sum(virial**2)
    first_grad = tf.gradients(first, [g, r])
    second = tf.reduce_sum(first_grad[0] ** 2)
    second_grad = tf.gradients(second, [g, r])
    with session(tf.get_default_graph()) as run:
        for function, grads in [(first, first_grad), (second, second_grad)]:
            for x, grad in zip((g, r), grads, strict=True):
                numeric = twins.difference(
                    lambda a, x=x, f=function: run.run(f, {**start, x: a}), start[x]
                )
                scale = abs(numeric).max()
                np.testing.assert_allclose(run.run(grad, start) / scale, numeric / scale, atol=1e-8)


def test_threads_do_not_change_bits():
    given = pairs(30000, 500, 40, frame_row=(0, 100, 350, 500))
    out = force_virial(*given)
    grad = tf.gradients(
        tf.reduce_sum(out[0] ** 2) + tf.reduce_sum(out[1] ** 2), out[0].op.inputs[0]
    )
    tensors = [*out, *grad, atom_virial(*given[:2])]
    for a, b in zip(evaluate(tensors), evaluate(tensors, threads=4), strict=True):
        assert a.tobytes() == b.tobytes()


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


CENTRES = (
    "`atom_order`, `first_pair` and `neighbor_count` must lie within the 17 atoms and 60 pairs"
)


@pytest.mark.on_host
@pytest.mark.parametrize(
    ("name", "place", "value", "message"),
    [
        ("centre", 1, 12, "`centre` must be an atom index below 12, got 12 at pair 1"),
        ("pair_of", 7, 60, "`pair_of` must be a pair index below 60, got 60 at place 7"),
        ("pair_of", 7, -1, "`pair_of` must be a pair index below 60, got -1 at place 7"),
        ("pair_row", 0, 1, "`pair_row` must start at 0, not decrease .* pairs 60, got 1 to 60"),
        ("pair_row", -1, 61, "`pair_row` must start at 0, not decrease .* pairs 60, got 0 to 61"),
        ("pair_row", 3, 60, "`pair_row` must start at 0, not decrease .* pairs 60, got 0 to 60"),
        ("atom_order", 2, 17, CENTRES + ", got others for centre 2 of `atom_order`"),
        ("atom_order", 2, -1, CENTRES),
        ("first_pair", (2, 1), -1, CENTRES),
        ("first_pair", (2, 1), 60, CENTRES),
        ("neighbor_count", (2, 0), -1, CENTRES),
    ],
)
def test_indices_out_of_range(name, place, value, message):
    gradient, found, frame_row = pairs()
    found = found._replace(**{name: changed(getattr(found, name), place, value)})
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(force_virial(gradient, found, frame_row))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("centre", r"`centre` must have shape \[60\], got \[59\]"),
        ("neighbor", r"`neighbor` must have shape \[60\], got \[59\]"),
        ("displacement", r"`displacement` must have shape \[60,3\], got \[59,3\]"),
        ("pair_of", r"`pair_of` must have shape \[60\], got \[59\]"),
        ("atom_order", r"`first_pair` must have shape \[11,\?\], got \[12,2\]"),
        ("neighbor_count", r"`neighbor_count` must have shape \[12,2\], got \[11,2\]"),
    ],
)
def test_arrays_of_other_sizes(name, message):
    gradient, found, frame_row = pairs()
    found = found._replace(**{name: getattr(found, name)[1:]})
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(force_virial(gradient, found, frame_row))


@pytest.mark.on_host
@pytest.mark.parametrize(
    ("frame_row", "message"),
    [
        ([0, 20], "`frame_row` must end at most at the number of atoms 17, got 20"),
        ([12], "`frame_row` must start at 0 and not decrease, got 12 first"),
        ([0, 7, 6], "`frame_row` must start at 0 and not decrease"),
        ([], "Negative dimension size caused by subtracting 1 from 0 "),
    ],
)
def test_frames_out_of_range(frame_row, message):
    gradient, found, _ = pairs(2)
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError), match=message):
        evaluate(force_virial(gradient, found, np.array(frame_row, np.int32)))


@pytest.mark.on_host
@pytest.mark.parametrize("wrong", [60, -1])
def test_atom_virial_checks_its_pairs(wrong):
    gradient, found, _ = pairs()
    found = found._replace(pair_of=changed(found.pair_of, 1, wrong))
    message = f"`pair_of` must be a pair index below 60, got {wrong} at place 1"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(atom_virial(gradient, found))


def gradient_op(found, frame_row, virial_grad, num_all=17):
    _, *inputs = force_virial(np.zeros((60, 3)), found, frame_row)[0].op.inputs
    return library().force_virial_grad(np.zeros((num_all, 3)), virial_grad, *inputs)


@pytest.mark.on_host
@pytest.mark.parametrize("wrong", [17, -1])
def test_the_gradient_checks_its_neighbors(wrong):
    _, found, frame_row = pairs()
    found = found._replace(neighbor=changed(found.neighbor, 4, wrong))
    message = f"`neighbor` must be an atom index below 17, got {wrong} at pair 4"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(gradient_op(found, frame_row, np.zeros((3, 9))))


def test_a_virial_gradient_of_other_frames():
    _, found, frame_row = pairs()
    virial_grad = tf.placeholder(tf.float64, [None, 9])
    out = gradient_op(found, frame_row, virial_grad)
    message = r"`virial_grad` must have shape \[3,9\], got \[2,9\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(out, {virial_grad: np.zeros((2, 9))})


@pytest.mark.parametrize(("name", "size"), [("frame_row", r"F \+ 1"), ("pair_row", r"N_all \+ 1")])
def test_empty_rows_that_are_not_known_before_running(name, size):
    gradient, found, frame_row = pairs(2)
    row = tf.placeholder(tf.int32, [None])
    if name == "frame_row":
        frame_row = row
    else:
        found = found._replace(pair_row=row)
    message = f"`{name}` must have {size} elements, got none"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(force_virial(gradient, found, frame_row), {row: []})


def test_shapes_are_known_before_running():
    _, found, frame_row = pairs(6)
    g = tf.placeholder(tf.float64, [None, 3])
    force, virial = force_virial(g, found, frame_row)
    assert force.shape.as_list() == [17, 3] and virial.shape.as_list() == [3, 9]
    assert tf.gradients(force, g)[0].shape.as_list() == [6, 3]
    assert atom_virial(g, found).shape.as_list() == [17, 9]
