"""ForceVirial and AtomVirial: twins, derivatives, ghosts, frames, errors, threads."""

import numpy as np
import pytest
import twins

from deeptf.ops.force import atom_virial, force_virial
from deeptf.ops.library import library
from deeptf.tf import session, tf


def pairs(number=60, centres=12, ghosts=5, frame_row=(0, 4, 4, 12), seed=0):
    rng = np.random.default_rng(seed)
    return {
        "pair_gradient": rng.normal(size=(number, 3)),
        "displacement": rng.normal(size=(number, 3)),
        "centre": rng.integers(0, centres, number).astype(np.int32),
        "neighbor": rng.integers(0, centres + ghosts, number).astype(np.int32),
        "atom_type": np.zeros(centres + ghosts, np.int32),
        "frame_row": np.array(frame_row, np.int32),
    }


def evaluate(tensors, feed=None, threads=1):
    with session(tf.get_default_graph(), threads) as run:
        return run.run(tensors, feed)


def twin(atom_type, **given):
    return twins.force_virial(**given, num_all=len(atom_type))


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default():
        yield


@pytest.mark.parametrize("number", [0, 1, 7, 400])
def test_force_and_virial_equal_the_twin(number):
    given = pairs(number)
    for got, want in zip(evaluate(force_virial(**given)), twin(**given), strict=True):
        np.testing.assert_allclose(got, want, atol=1e-12)


@pytest.mark.parametrize("number", [0, 300])
def test_atom_virial_equals_the_twin_and_adds_up(number):
    given = pairs(number, frame_row=(0, 12))
    args = [given[name] for name in ("pair_gradient", "displacement", "neighbor", "atom_type")]
    got = evaluate(atom_virial(*args))
    np.testing.assert_allclose(got, twins.atom_virial(*args[:3], 17), atol=1e-12)
    total = got.sum(0).reshape(3, 3)
    np.testing.assert_allclose(total.T, twin(**given)[1].reshape(3, 3), atol=1e-12)


def test_no_atoms_and_no_frames():
    empty = pairs(0, 0, 0, frame_row=(0,))
    force, virial = evaluate(force_virial(**empty))
    assert force.shape == (0, 3) and virial.shape == (0, 9)


def test_derivatives_against_differences():
    given = pairs(15)
    g = tf.placeholder(tf.float64, [None, 3])
    r = tf.placeholder(tf.float64, [None, 3])
    start = {g: given["pair_gradient"], r: given["displacement"]}
    force, virial = force_virial(**{**given, "pair_gradient": g, "displacement": r})
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
    out = force_virial(**given)
    grad = tf.gradients(
        tf.reduce_sum(out[0] ** 2) + tf.reduce_sum(out[1] ** 2), out[0].op.inputs[0]
    )
    args = [given[name] for name in ("pair_gradient", "displacement", "neighbor", "atom_type")]
    tensors = [*out, *grad, atom_virial(*args)]
    for a, b in zip(evaluate(tensors), evaluate(tensors, threads=4), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"centre": [0, 12]}, "`centre` must be an atom index below 12, got 12 at pair 1"),
        ({"neighbor": [17, 0]}, "`neighbor` must be an atom index below 17, got 17 at pair 0"),
        ({"frame_row": [0, 20]}, "`frame_row` must end at most at the number of atoms 17, got 20"),
        ({"frame_row": [12]}, "`frame_row` must start at 0 and not decrease, got 12 first"),
        ({"frame_row": [0, 7, 6]}, "`frame_row` must start at 0 and not decrease"),
        (
            {"frame_row": []},
            r"Negative dimension size caused by subtracting 1 from 0 .*\[17\], \[0\]",
        ),
        ({"centre": [0]}, r"`centre` must have shape \[2\], got \[1\]"),
    ],
)
def test_errors(change, message):
    given = {**pairs(2), **{name: np.array(value, np.int32) for name, value in change.items()}}
    with pytest.raises((tf.errors.InvalidArgumentError, ValueError), match=message):
        evaluate(force_virial(**given))


@pytest.mark.parametrize("wrong", [17, -1])
def test_atom_virial_checks_its_neighbors(wrong):
    given = pairs(2)
    neighbor = np.array([3, wrong], np.int32)
    args = (given["pair_gradient"], given["displacement"], neighbor, given["atom_type"])
    message = f"`neighbor` must be an atom index below 17, got {wrong} at pair 1"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(atom_virial(*args))


def test_a_virial_gradient_of_other_frames():
    given = pairs(2)
    virial_grad = tf.placeholder(tf.float64, [None, 9])
    names = ("displacement", "centre", "neighbor", "frame_row")
    out = library().force_virial_grad(
        np.zeros((17, 3)), virial_grad, *(given[name] for name in names)
    )
    message = r"`virial_grad` must have shape \[3,9\], got \[2,9\]"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        evaluate(out, {virial_grad: np.zeros((2, 9))})


def test_an_empty_frame_row_that_is_not_known_before_running():
    frame_row = tf.placeholder(tf.int32, [None])
    out = force_virial(**{**pairs(2), "frame_row": frame_row})
    with (
        session() as run,
        pytest.raises(
            tf.errors.InvalidArgumentError, match=r"`frame_row` must have F \+ 1 elements, got none"
        ),
    ):
        run.run(out, {frame_row: []})


def test_shapes_are_known_before_running():
    given = pairs(6)
    g = tf.placeholder(tf.float64, [None, 3])
    force, virial = force_virial(**{**given, "pair_gradient": g})
    assert force.shape.as_list() == [17, 3] and virial.shape.as_list() == [3, 9]
    assert tf.gradients(force, g)[0].shape.as_list() == [6, 3]
    args = (given["displacement"], given["neighbor"], given["atom_type"])
    assert atom_virial(g, *args).shape.as_list() == [17, 9]
