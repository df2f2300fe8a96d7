"""Embedding tables: as good as the nets they stand for, refined where they are not, and frozen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from array_names import NODES
from physics_suite import PhysicsSuite
from potentials import OUTPUTS, Potential
from random_model import random_arrays, table_nodes

from deeptf.exchange import frozen
from deeptf.exchange.model_file import METADATA_NODE, OUTSIDE, model_of
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.table import TOLERANCE
from deeptf.model.table_nodes import LEAST_NODES, MOST_NODES, wanted_nodes
from deeptf.model.term.standard import Standard
from deeptf.tf import session, tf


def model(embedding: str, **descriptor: object) -> ModelConfig:
    settings = {"sel": (20, 20), "rcut": 4.0, "rcut_smth": 1.0, "neuron": (10, 20, 40)}
    net = SeE2A(**settings, axis_neuron=4, embedding=embedding, **descriptor)
    return ModelConfig(Standard(net, EnerFitting(neuron=(20, 20))), ("A", "B"))


STEEP = "descriptor/embedding_0_0/0/matrix"


def arrays_of(config: ModelConfig, steepness: float) -> dict[str, np.ndarray]:
    """Return random arrays, first weights of the net STEEP times `steepness`, with a table."""
    arrays = random_arrays(config, 2)
    arrays[STEEP] = arrays[STEEP] * steepness
    arrays.pop(NODES, None)
    return arrays | table_nodes(config, arrays, TOLERANCE)


def frames(config: ModelConfig) -> list[dict[str, np.ndarray]]:
    suite = PhysicsSuite()
    suite.config = config
    return [suite.frame(0), suite.open_frame(1), suite.frame(2, 5)]


@pytest.mark.parametrize("options", [{}, {"resnet_dt": True, "activation_function": "gelu"}])
def test_a_table_equals_its_nets(options: dict) -> None:
    table, network = model("table", **options), model("network", **options)
    arrays = arrays_of(table, 1.0)
    found, exact = (Potential(config, arrays)(frames(config)) for config in (table, network))
    np.testing.assert_allclose(found["energy"], exact["energy"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["force"], exact["force"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found["virial"], exact["virial"], rtol=0, atol=1e-4)


def test_steep_nets_get_more_nodes() -> None:
    table, network = model("table"), model("network")
    mild, steep = arrays_of(table, 1.0), arrays_of(table, 90.0)
    assert steep[NODES][0].sum() > 3 * mild[NODES][0].sum()
    assert np.all(steep[NODES][1] == mild[NODES][1])
    assert largest_slope(table, steep) > 100
    found, exact = (Potential(config, steep)(frames(config)) for config in (table, network))
    atoms = np.array([7, 7, 5])
    np.testing.assert_allclose(found["energy"] / atoms, exact["energy"] / atoms, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["force"], exact["force"], rtol=0, atol=1e-5)


def test_single_precision_keeps_the_slopes() -> None:
    """A fine table of float32 nets is as good as the nets: its values must not be rounded."""
    single = model("table", precision="float32")
    arrays = arrays_of(model("table"), 1.0)
    exact = Potential(model("network"), arrays)(frames(single))["force"]
    weights = {n: v.astype(np.float32) if "/embedding_" in n else v for n, v in arrays.items()}
    table = weights | table_nodes(single, weights, 1e-8)
    assert table[NODES].sum(axis=1).max() > 900
    force = Potential(single, table)(frames(single))["force"]
    np.testing.assert_allclose(force, exact, rtol=0, atol=1e-6 * np.abs(exact).max())
    trained = forces_in_training(single, table, frames(single)[0])
    np.testing.assert_allclose(trained, exact[:7], rtol=0, atol=3e-6 * np.abs(exact).max())


def forces_in_training(
    config: ModelConfig, arrays: dict[str, np.ndarray], frame: dict[str, np.ndarray]
) -> np.ndarray:
    """Return the forces of a graph with variables, where sums over tables are float32 too."""
    with tf.Graph().as_default() as graph, session(graph) as run:
        inputs = config.inputs()
        force = config.build(inputs, Parameters(arrays)).values["force"]
        sums = [op for op in graph.get_operations() if op.type == "EmbeddingSum"]
        assert {op.get_attr("T") for op in sums} == {tf.float32}
        run.run(tf.global_variables_initializer())
        feed = {
            inputs.coord: frame["coord"],
            inputs.cell: frame["cell"][None],
            inputs.atom_type: frame["type"],
            inputs.frame_row: [0, len(frame["type"])],
        }
        return run.run(force, feed)


def largest_slope(config: ModelConfig, arrays: dict[str, np.ndarray]) -> float:
    with tf.Graph().as_default():
        table = config.tables(Parameters(arrays))[0]
        with session() as run:
            run.run(tf.global_variables_initializer())
            nodes, row, grid = run.run((table.whole.nodes, *table.whole.grid[:2]))
    steps = np.repeat(grid[:, 1], np.diff(row))
    return float((np.abs(nodes[:, 1]).max(axis=1) / steps).max())


def test_loss_gradients_equal_those_of_the_nets() -> None:
    """The gradient of a loss of energy and force to all weights, table against network."""
    gradients = {}
    for embedding, config in {
        "table": model("table"),
        "single": model("table", precision="float32"),
        "network": model("network"),
    }.items():
        arrays = arrays_of(model("table"), 1.0)
        frame = frames(config)[0]
        with tf.Graph().as_default(), session() as run:
            parameters = Parameters(arrays)
            inputs = config.inputs()
            outputs = config.build(inputs, parameters)
            loss = tf.reduce_sum(outputs.values["energy"] ** 2) + tf.reduce_sum(
                (outputs.values["force"] - 0.1) ** 2
            )
            names = sorted(parameters.variables)
            wanted = tf.gradients(loss, [parameters.variables[name] for name in names])
            run.run(tf.global_variables_initializer())
            feed = {
                inputs.coord: frame["coord"],
                inputs.cell: frame["cell"][None],
                inputs.atom_type: frame["type"],
                inputs.frame_row: [0, 7],
            }
            gradients[embedding] = dict(zip(names, run.run(wanted, feed), strict=True))
    for name, exact in gradients["network"].items():
        for embedding in ("table", "single"):
            error = np.abs(gradients[embedding][name] - exact).max()
            assert error <= 1e-4 * max(np.abs(exact).max(), 1e-10), (embedding, name)


def test_a_frozen_table_is_a_constant() -> None:
    config = model("table")
    arrays = arrays_of(config, 1.0)
    nodes = {node.name: node.op for node in frozen.build(config, arrays).node}
    assert nodes["descriptor/table"] == "Const"
    for name in arrays:  # also those that only training on from the file needs
        assert nodes[name] == "Const", name
    assert "EmbeddingSum" in nodes.values() and "EmbeddingNodes" not in nodes.values()


@pytest.mark.parametrize("embedding", ["table", "network"])
def test_a_frozen_graph_holds_nothing_idle(embedding: str) -> None:
    """Every node is needed by an output, except the description and constants that it names."""
    config = model(embedding)
    graph_def = frozen.build(config, arrays_of(model("table"), 1.0))
    outputs = [*OUTPUTS, *(OUTSIDE if embedding == "table" else ())]
    needed = {node.name for node in tf.graph_util.extract_sub_graph(graph_def, outputs).node}
    idle = [node for node in graph_def.node if node.name not in needed]
    assert {node.op for node in idle} == {"Const"}
    model_file = model_of(graph_def.SerializeToString(), "model.pb")
    named = {*model_file.metadata["constants"], METADATA_NODE}
    assert {node.name for node in idle} <= named


def test_number_of_nodes_follows_the_error() -> None:
    counts = np.array([100, 101, 200, 10])
    errors = np.array([1e-6, 8e-6, 1e-16, 1.0])
    wanted = wanted_nodes(counts, errors, 1e-6)
    assert wanted.tolist() == [100, 222, LEAST_NODES, 992]
    assert wanted_nodes(counts, np.full(4, 1e6), 1e-6).tolist() == [MOST_NODES] * 4


def test_nodes_stay_where_errors_are_no_numbers() -> None:
    counts = np.array([100, 5, 7])
    wanted = wanted_nodes(counts, np.array([np.nan, 1e-16, np.inf]), 1e-6)
    assert wanted.tolist() == [100, LEAST_NODES, MOST_NODES]
    config = model("table")
    arrays = random_arrays(config, 2)
    arrays[STEEP] = arrays[STEEP] * np.nan
    with tf.Graph().as_default(), session() as run:
        table = config.tables(Parameters(arrays))[0]
        run.run(tf.global_variables_initializer())
        assert table.refine(run, np.asarray) == ""
        np.testing.assert_array_equal(run.run(table.counts)[0], arrays[NODES][0])


def test_an_error_that_stays_is_said() -> None:
    config = model("table")
    arrays = random_arrays(config, 2)
    arrays[STEEP] = arrays[STEEP] * 1e5
    with tf.Graph().as_default():
        table = config.tables(Parameters(arrays))[0]
        with session() as run:
            run.run(tf.global_variables_initializer())
            line = table.refine(run, np.asarray)
    assert f"more than {TOLERANCE:.0e}" in line and '"network"' in line


def test_table_or_network() -> None:
    assert SeE2A().tabulated and not SeE2A(activation_function="relu").tabulated
    assert not SeE2A(embedding="network").tabulated
    with pytest.raises(ValueError, match='`embedding` must be "table" or "network", got \'both\''):
        SeE2A(embedding="both")
    with pytest.raises(ValueError, match="whose derivatives jump"):
        replace(SeE2A(embedding="table"), activation_function="relu6")
