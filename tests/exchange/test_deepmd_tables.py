"""Tables of compressed models: look-ups as in the original, and nodes with cubics between them."""

import functools

import numpy as np
import pytest
from deepmd_models import node_of, set_constant

from deeptf.exchange.deepmd import pieces, tabulate
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.model.table_arrays import STORED_NEAR, TABLE, TABLE_GRID, TABLE_ROW
from deeptf.tf import session, tf

INFO = (-1.0, 2.0, 8.0, 0.5, 2.0, -1.0)  # lower, upper, max, steps
TWO_SIDED = (-2.0, 2.0, 8.0, 0.5, 2.0, -1.0)
WIDTH = 3
BOUND = pieces.BOUNDS["float64"]


def table(info, two_sided, seed=0):
    lower, upper, end, fine, coarse, _ = info
    number = (lower + end) / coarse * two_sided + (upper - lower) / fine + (end - upper) / coarse
    return np.random.default_rng(seed).normal(size=(round(number), 6 * WIDTH))


def looked_up(table, info, x, two_sided):
    """Return G [n, M] as its definition says it."""
    lower, upper, end, fine, coarse, _ = info
    begin = -end if two_sided else lower
    edges = [np.arange(begin, lower, coarse)] if two_sided else []
    edges += [np.arange(lower, upper, fine), np.arange(upper, end, coarse)]
    left = np.concatenate(edges)
    inside = np.clip(x, begin, end)
    place = np.clip(np.searchsorted(left, inside, "right") - 1, 0, len(left) - 1)
    v = inside - left[place]
    factors = table.reshape(len(table), WIDTH, 6)[place]
    value = sum(factors[..., k] * v[:, None] ** k for k in range(6))
    slope = sum(k * factors[..., k] * v[:, None] ** (k - 1) for k in range(1, 6))
    return value + slope * (x - inside)[:, None]


def arguments(info):
    return np.random.default_rng(1).uniform(-1.2 * info[2], 1.2 * info[2], 500)


templates = functools.cache(tabulate.templates)


def run(op, *given):
    template = templates()[op]
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(template.graph, name="")
        feed = {f"input_{k}:0": value for k, value in enumerate(given)}
        with session(graph) as on:
            return on.run([f"{name}:0" for name in template.results], feed)


CASES = [("SeA", INFO), ("SeAtten", INFO), ("SeR", INFO), ("SeT", TWO_SIDED)]


def inputs(kind, info):
    """Return inputs of an op on two atoms with some places, and G of the look-ups."""
    two_sided = kind == "SeT"
    generator, x = np.random.default_rng(2), arguments(info)
    values = table(info, two_sided)
    g = looked_up(values, info, x, two_sided)
    first = [values, np.array(info)]
    if kind == "SeR":
        return [*first, x.reshape(2, 250)], g.reshape(2, 250, WIDTH)
    if kind == "SeT":
        products = generator.normal(size=(2, 10, 25))
        expected = np.einsum("njk,njkm->nm", products, g.reshape(2, 10, 25, WIDTH))
        return [*first, x[:, None], products], expected
    rows = generator.normal(size=(2, 250, 4))
    gate = generator.normal(size=(500, WIDTH))
    g = (g * (1 + gate) if kind == "SeAtten" else g).reshape(2, 250, WIDTH)
    more = [gate] if kind == "SeAtten" else []
    return [*first, x[:, None], rows, *more], np.einsum("njc,njm->ncm", rows, g)


@pytest.mark.parametrize(("kind", "info"), CASES)
def test_ops_of_tables(kind, info):
    given, expected = inputs(kind, info)
    (found,) = run(f"TabulateFusion{kind}", *given)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-8)


@pytest.mark.parametrize(("kind", "info"), CASES)
def test_gradients_of_ops_of_tables(kind, info):
    given, output = inputs(kind, info)
    weight = np.random.default_rng(3).normal(size=output.shape)
    gradients = run(f"TabulateFusion{kind}Grad", *given, weight, output)
    assert [one.shape for one in gradients] == [one.shape for one in given[2:]]
    for place, gradient in enumerate(gradients, 2):
        direction = np.random.default_rng(place).normal(size=gradient.shape)
        ends = []
        for side in (-1, 1):
            moved = list(given)
            moved[place] = given[place] + side * 1e-6 * direction
            ends.append(np.sum(weight * run(f"TabulateFusion{kind}", *moved)[0]))
        slope = np.sum(gradient * direction)
        assert (ends[1] - ends[0]) / 2e-6 == pytest.approx(slope, rel=1e-6)


def graph_with(values, info):
    graph = tf.GraphDef()
    set_constant(graph, "model_attr/model_type", "ener")
    set_constant(graph, "values", values)
    set_constant(graph, "info", np.array(info))
    graph.node.add(name="op", op="TabulateFusionSeA", input=["values", "info"])
    return DeepmdGraph(graph)


def read(values, info, two_sided):
    graph = graph_with(values, info)
    return pieces.read_pieces(graph, node_of(graph.graph_def, "op"), two_sided)


def interpolated(arrays, curve, curves, x, info):
    """Return what a table of deeptf gives, from its arrays; x below the last node."""
    row, grid = arrays[TABLE_ROW], arrays[TABLE_GRID].reshape(curves, -1, 2)
    starts = grid[curve, :, 0]
    first = row[:-1].reshape(curves, -1)[curve]
    number = np.diff(row).reshape(curves, -1)[curve]
    segment = np.clip(np.searchsorted(starts, x, "right") - 1, 0, len(starts) - 1)
    step = grid[curve, segment, 1]
    place = (x - starts[segment]) / step
    n = np.clip(place.astype(int), 0, number[segment] - 2)
    u = (place - n)[:, None]
    left, right = (arrays[TABLE][first[segment] + n + k, :, :WIDTH] for k in (0, 1))
    value = (1 + 2 * u) * (1 - u) ** 2 * left[:, 0] + u * (1 - u) ** 2 * left[:, 1]
    return value + u**2 * (3 - 2 * u) * right[:, 0] - u**2 * (1 - u) * right[:, 1]


@pytest.mark.parametrize(("info", "two_sided"), [(INFO, False), (TWO_SIDED, True)])
def test_nodes_follow_the_look_ups(info, two_sided):
    """The tables jump at the ends of intervals, and a second one has more intervals."""
    longer = (info[0], info[1] + 2, info[2] + 4, *info[3:])
    infos = (info, longer)
    values = [table(one, two_sided, seed) for seed, one in enumerate(infos)]
    arrays = pieces.table_arrays([read(*one, two_sided) for one in zip(values, infos, strict=True)])
    assert arrays[STORED_NEAR] == 4
    for curve, one in enumerate(infos):
        x = np.random.default_rng(4).uniform(-one[2] if two_sided else one[0], one[2], 2000)
        expected = looked_up(values[curve], one, x, two_sided)
        found = interpolated(arrays, curve, 2, x, one)
        largest = max(1.0, np.abs(expected).max())
        np.testing.assert_allclose(found, expected, rtol=0, atol=2 * largest * BOUND)


def test_tables_times_their_argument():
    values, share = table(TWO_SIDED, True), 0.25
    products = pieces.times_argument(read(values, TWO_SIDED, True), share)
    arrays = pieces.table_arrays([products])
    x = np.random.default_rng(5).uniform(-2, 2, 1000)
    expected = share * x[:, None] * looked_up(values, TWO_SIDED, x, True)
    found = interpolated(arrays, 0, 1, x, TWO_SIDED)
    largest = max(1.0, np.abs(looked_up(values, TWO_SIDED, x, True)).max())
    np.testing.assert_allclose(found, expected, rtol=0, atol=2 * share * largest * BOUND)


@pytest.mark.parametrize(
    ("values", "info", "message"),
    [
        (np.zeros((9, 7)), INFO, "6 numbers of each output and interval"),
        (np.zeros((9, 6)), INFO[:5], "6 numbers about it, got shapes (9, 6) and (5,)"),
        (np.full((9, 6), np.nan), INFO, "the table of `op` must hold finite numbers"),
        (np.zeros((8, 6)), INFO, "must have 9 intervals, which its ends and steps say, got 8"),
        (np.zeros((9, 6)), (2.0, *INFO[1:]), "positive steps and rising ends, got steps 0.5, 2.0"),
    ],
)
def test_tables_that_are_none(values, info, message):
    with pytest.raises(ValueError) as caught:
        read(values, info, False)
    assert message in str(caught.value)


def test_a_table_in_float32():
    """Its ends and steps are those before rounding, and its cubics need not be as near."""
    info = (-1.0, 2.0, 8.0, 0.1, 0.6, -1.0)
    values = np.random.default_rng(0).normal(size=(40, 6 * WIDTH)).astype(np.float32)
    graph = graph_with(values, info)
    set_constant(graph.graph_def, "info", np.array(info, np.float32))
    single = DeepmdGraph(graph.graph_def)
    found = pieces.read_pieces(single, node_of(single.graph_def, "op"))
    assert found.left[1] == -0.9 and len(found.left) == 40
    double = read(values.astype(np.float64), info, False)
    nodes = [len(pieces.table_arrays([one])[TABLE]) for one in (found, double)]
    assert nodes[0] < 0.4 * nodes[1]


def test_steps_that_do_not_divide_a_range():
    info = (-1.0, 2.0, 8.0, 0.7, 2.0, -1.0)
    with pytest.raises(ValueError, match="steps of a table must divide its length, got 0.7"):
        pieces.table_arrays([read(np.zeros((4 + 3, 6)), info, False)])
