"""Arrays by name: one each, drawn by their names, and what is known of them."""

import numpy as np
import pytest

from deeptf.model.parameters import Parameters, first_not_finite, normal
from deeptf.tf import tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def draw(parameters, name, **options):
    return parameters.get(name, (3, 2), tf.float64, normal(1.0), **options)


def initial(tensor):
    with tf.Session() as run:
        run.run(tf.global_variables_initializer())
        return run.run(tensor)


def test_a_name_is_one_array():
    parameters = Parameters()
    first = draw(parameters, "a")
    assert draw(parameters, "a") is first
    assert draw(parameters, "b") is not first
    counts = parameters.state("counts", np.zeros(2, np.int32))
    assert parameters.state("counts", np.ones(2, np.int32)) is counts
    assert list(parameters.variables) == ["a", "b"] and list(parameters.states) == ["counts"]
    assert len(tf.global_variables()) == 3


def test_an_array_depends_on_its_name_and_seed_only():
    whole = Parameters(seed=4)
    arrays = {name: draw(whole, name) for name in ("a", "b", "c")}
    alone = draw(Parameters(seed=4), "c")
    of_its_own = draw(Parameters(seed=9), "c", seed=4)
    other = draw(Parameters(seed=5), "c")
    a, c, alone, of_its_own, other = initial([arrays["a"], arrays["c"], alone, of_its_own, other])
    np.testing.assert_array_equal(alone, c)
    np.testing.assert_array_equal(of_its_own, c)
    assert not np.isclose(a, c).any() and not np.isclose(other, c).any()


def test_fixed_arrays_are_no_variables():
    parameters = Parameters()
    draw(parameters, "a", trainable=False)
    assert not parameters.variables and parameters.constants["a"].shape == (3, 2)


def test_arrays_that_nobody_asks_for():
    given = {name: np.ones((3, 2)) for name in "abcde"}
    parameters = Parameters(given)
    parameters.forget("d", "absent")
    assert parameters.known("d") is None and parameters.known("e") is given["e"]
    draw(parameters, "b")
    parameters.array("c")
    assert parameters.unused() == ["a", "e"]


@pytest.mark.parametrize("options", [{"frozen": True}, {"complete": True}])
def test_arrays_that_are_missing(options):
    message = "`absent` must be among the arrays of the model, but is not"
    parameters = Parameters({}, **options)
    with pytest.raises(ValueError, match=message):
        draw(parameters, "absent")
    with pytest.raises(ValueError, match=message):
        parameters.array("absent")
    if options.get("frozen"):
        with pytest.raises(ValueError, match=message):
            parameters.state("absent", np.zeros(1))


def test_an_array_of_another_shape():
    with pytest.raises(ValueError, match=r"`a` must have shape \(3, 2\), got \(2, 3\)"):
        draw(Parameters({"a": np.ones((2, 3))}), "a")


def test_the_first_array_that_is_not_finite():
    arrays = {"whole": np.array([1, 2]), "good": np.ones(2), "bad": np.array([1.0, np.inf])}
    assert first_not_finite(arrays) == "bad"
    del arrays["bad"]
    assert first_not_finite(arrays) is None


def test_what_follows_from_arrays_is_a_constant_of_a_frozen_graph():
    arrays = {"part/mean": np.array([1.0, 2.0]), "part/a": np.ones((3, 2))}
    own = Parameters(arrays, frozen=True).scope("part")
    doubled = own.fixed("doubled", 2.0 * draw(own, "a"))
    counts = own.fixed("counts", np.array([3, 4], np.int32))
    mean = own.fixed_array("mean")
    names = [tensor.op.name for tensor in (doubled, counts, mean)]
    assert names == [own.name("doubled"), own.name("counts"), "part/mean"]
    assert {tensor.op.type for tensor in (doubled, counts, mean)} == {"Const"}
    np.testing.assert_array_equal(initial(doubled), np.full((3, 2), 2.0))
    assert own.fixed("doubled", None) is doubled and own.fixed_array("mean") is mean
    assert own.used() == ["part/a", "part/mean"]
    assert list(own.derived) == ["part/doubled", "part/counts"]


def test_what_follows_from_arrays_may_be_known():
    parameters = Parameters({"table": np.arange(3)}, frozen=True)
    np.testing.assert_array_equal(initial(parameters.fixed("table", np.zeros(5))), [0, 1, 2])


def test_a_graph_that_trains_follows_its_arrays():
    parameters = Parameters({"mean": np.ones(2), "table": np.arange(3)})
    value = np.zeros(5)
    assert parameters.fixed("table", value) is value and not parameters.derived
    assert isinstance(parameters.fixed_array("mean"), np.ndarray)
