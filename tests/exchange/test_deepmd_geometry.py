"""The ops of geometry of deepmd-kit in NumPy: derivatives, sums, and lengths rounded to float32."""

import numpy as np
import pytest
import twins
from deepmd_models import golden_graph

from deeptf.exchange.deepmd import geometry
from deeptf.exchange.deepmd.geometry import Frame
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.settings import DeepmdSettings
from deeptf.tf import tf

SEL = (2, 0, 3)
LENGTHS = (0.6, 4.6)


def frame(displacement):
    """Two centres of types 0 and 2; the first has neighbours of types 0, 2, 2, the second 0."""
    return Frame(
        np.array([0, 2, 0, 2, 2, 0], np.int32),
        np.array([0, 3, 4], np.int32),
        displacement,
        np.zeros((1, 0)),
        np.zeros((2, 0)),
    )


def some_displacement():
    return np.random.default_rng(0).normal(0, 1.5, (4, 3))


def environment(displacement):
    generator = np.random.default_rng(1)
    mean, stddev = generator.normal(size=(3, 20)), generator.uniform(0.5, 2, (3, 20))
    return geometry.environment(frame(displacement), SEL, LENGTHS, mean, stddev), mean, stddev


def test_rows_stand_in_the_places_of_their_types():
    found, mean, stddev = environment(some_displacement())
    np.testing.assert_array_equal(found.neighbor, [[2, -1, 3, 4, -1], [5, -1, -1, -1, -1]])
    first = frame(some_displacement())
    rows = twins.environment(
        first.displacement, np.zeros(4, int), np.zeros(1, int), np.zeros((1, 4)), np.ones((1, 4)),
        float(np.float32(0.6)), float(np.float32(0.6)) + 4.0,
    )  # fmt: skip
    expected = np.zeros((2, 5, 4))
    expected[[0, 0, 0, 1], [0, 2, 3, 0]] = rows
    expected = (expected.reshape(2, 20) - mean[[0, 2]]) / stddev[[0, 2]]
    np.testing.assert_allclose(found.rows.reshape(2, 20), expected, rtol=1e-13)


def test_derivatives_equal_differences():
    displacement = some_displacement()
    gradient = np.random.default_rng(2).normal(size=(2, 5, 4))

    def energy(flat):
        return np.sum(gradient * environment(flat.reshape(4, 3))[0].rows)

    slope = twins.difference(energy, displacement.ravel()).reshape(4, 3)
    found = environment(displacement)[0]
    pairs = frame(displacement)
    forces = np.zeros((6, 3))
    np.add.at(forces, pairs.centre, slope)
    np.add.at(forces, pairs.neighbor, -slope)
    np.testing.assert_allclose(found.force(gradient, 6), forces, atol=1e-8)
    virial = -np.einsum("pa,pb->ab", slope, displacement).ravel()
    of_atom = found.atom_virial(gradient, 6)
    np.testing.assert_allclose(of_atom.sum(axis=0), virial, atol=1e-8)
    assert not np.any(of_atom[:2])  # that of a pair belongs to its neighbour


@pytest.mark.parametrize(("rcut", "rcut_smth"), [(6.0, 1.2), (9.0, 1.8), (4.6, 0.6)])
def test_a_converted_switch_is_that_of_float32_lengths(rcut, rcut_smth):
    """deepmd-kit subtracts the two lengths in float32; then u is a quotient of float64 numbers."""
    graph = golden_graph()
    for node in graph.node:
        if node.op == "ProdEnvMatA":
            node.attr["rcut_r"].f, node.attr["rcut_r_smth"].f = rcut, rcut_smth
        if node.name == "descrpt_attr/rcut":
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(rcut, tf.float64))
    descriptor = DeepmdSettings(DeepmdGraph(graph)).config.term.descriptor
    r = np.linspace(rcut_smth, rcut, 1000)
    start = np.float32(rcut_smth)
    u = np.clip((r - np.float64(start)) / np.float64(np.float32(rcut) - start), 0, 1)
    exact = 1 - 10 * u**3 + 15 * u**4 - 6 * u**5
    np.testing.assert_allclose(geometry.switch(r, rcut_smth, rcut)[0], exact, rtol=0, atol=1e-14)

    def switch(first, last):
        v = np.clip((r - first) / (last - first), 0, 1)
        return 1 - 10 * v**3 + 15 * v**4 - 6 * v**5

    converted = switch(descriptor.rcut_smth, descriptor.rcut)
    np.testing.assert_allclose(converted, exact, rtol=0, atol=1e-14)
    plain = switch(np.float64(start), np.float64(np.float32(rcut)))
    assert np.max(np.abs(plain - exact)) > 1e-8  # what the plain difference would give
