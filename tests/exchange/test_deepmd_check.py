"""Graphs that look like plain models, but compute something else, are found by running them."""

import numpy as np
import pytest
from deepmd_models import add_between, golden_graph, node_of, set_constant, write

from deeptf.exchange.convert import convert
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.infer.deep_pot import DeepPot
from deeptf.tf import tf


def scaled(name, factor=1.0 + 1e-6):
    """Multiply an output by a number."""

    def change(graph):
        set_constant(graph, "factor", factor)
        add_between(graph, name, "Mul", "factor")

    return change


def energy_twice(graph):
    set_constant(graph, "axis", np.int32(0))
    added = add_between(graph, "o_energy", "ConcatV2", "o_energy/before", "axis")
    added.attr["N"].i = 2
    added.attr["Tidx"].type = tf.int32.as_datatype_enum


def another_activation(graph):
    for node in graph.node:
        if node.op == "Tanh" and node.name.startswith("layer_0_type_2/"):
            node.op = "Sigmoid"


def another_count_of_places(graph):
    name = next(n.name for n in graph.node if n.name.endswith("/truediv/y"))
    set_constant(graph, name, DeepmdGraph(graph).array(name) + 1.0)


def crossed_weights(graph):
    for name in ("matrix", "bias"):
        for reader, read in ((1, 2), (2, 1)):
            node_of(graph, f"layer_0_type_{reader}/{name}/read").input[0] = (
                f"layer_0_type_{read}/{name}"
            )


def multiplied(place, source):
    """Multiply an int32 input of an op of geometry by a number; `place`: op and input."""

    def change(graph):
        set_constant(graph, "factor", np.int32(-1))
        added = graph.node.add(name="other", op="Mul", input=[source, "factor"])
        added.attr["T"].type = tf.int32.as_datatype_enum
        next(node for node in graph.node if node.op == place[0]).input[place[1]] = "other"

    return change


DIFFERENT = "its graph computes something else: on 18 random environments"
CHANGES = {
    "o_atom_energy": (scaled("o_atom_energy"), DIFFERENT),
    "o_force": (scaled("o_force"), DIFFERENT),
    "o_atom_virial": (scaled("o_atom_virial"), DIFFERENT),
    "not a number": (scaled("o_force", np.nan), DIFFERENT),
    "number of energies": (energy_twice, "`o_energy` must have 1 numbers, got 2"),
    "activation": (another_activation, DIFFERENT),
    "places": (another_count_of_places, DIFFERENT),
    "weights": (crossed_weights, DIFFERENT),
    "types": (
        multiplied(("ProdEnvMatA", 1), "Reshape_4"),
        "must get the positions and neighbours as they are",
    ),
    "neighbours": (
        multiplied(("ProdForceSeA", 2), "o_nlist"),
        "must get the positions and neighbours as they are",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_graph_that_computes_something_else(name, tmp_path):
    graph = golden_graph()
    change, message = CHANGES[name]
    change(graph)
    with pytest.raises(ValueError, match=message):
        convert(write(graph, tmp_path / "old.pb"), tmp_path / "new.pb")
    assert not (tmp_path / "new.pb").exists()


def test_a_graph_that_cannot_be_run(tmp_path):
    graph = golden_graph()
    node_of(graph, "o_energy").op = "Tanh"
    with pytest.raises(ValueError, match=r"its graph cannot be run: \S.*Tanh"):
        convert(write(graph, tmp_path / "old.pb"), tmp_path / "new.pb")


def test_ops_of_old_releases(tmp_path):
    """Releases before 2.0 have other names for the ops of geometry, and no version node."""
    graph = golden_graph()
    graph.node.remove(node_of(graph, "model_attr/model_version"))
    old = {
        "ProdEnvMatA": "DescrptNorot",
        "ProdForceSeA": "ProdForceNorot",
        "ProdVirialSeA": "ProdVirialNorot",
    }
    for node in graph.node:
        node.op = old.get(node.op, node.op)
    notes = convert(write(graph, tmp_path / "old.pb"), tmp_path / "new.pb")
    assert notes[0].startswith("checked against the original graph on 18 random environments: ")
    with DeepPot(tmp_path / "new.pb") as potential:
        assert potential.get_type_map() == ["A", "B", "C"]
