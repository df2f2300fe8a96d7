"""Graphs with local frames: what is refused, and what the converted model says of wrong input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from deepmd_models import golden_graph, node_of, set_constant, write

from deeptf.exchange.convert import convert
from deeptf.infer.deep_pot import DeepPot
from deeptf.tf import tf

MODEL = "kinds/loc_frame_nn"


def numbers(op: str, key: str, *values: int):
    """Give an attribute of an op other numbers."""

    def change(graph: tf.GraphDef) -> None:
        place = next(node for node in graph.node if node.op == op).attr[key]
        if len(values) == 1:
            place.i = values[0]
        else:
            place.list.i[:] = values

    return change


def another_axis(graph: tf.GraphDef) -> None:
    force = next(node for node in graph.node if node.op == "ProdForce")
    force.input[3] = force.input[2]


def scaled_rows(graph: tf.GraphDef) -> None:
    """Multiply what the fitting nets get by a number."""
    reader = next(node for node in graph.node if "Descrpt" in node.input and node.op == "Reshape")
    set_constant(graph, "factor", 1.0 + 1e-6)
    added = graph.node.add(name="scaled", op="Mul", input=["Descrpt", "factor"])
    added.attr["T"].type = tf.float64.as_datatype_enum
    reader.input[0] = "scaled"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (numbers("Descrpt", "sel_a", 5, 7), "must take 48 numbers, those of all places"),
        (numbers("ProdForce", "n_r_sel", 1), "the attribute `n_r_sel`"),
        (
            numbers("Descrpt", "axis_rule", *(0, 0, 0, 0, 0, 1), *(0, 1, 0, 0, 1, 1)),
            r"got model/descriptor/axis_rule .* in it",
        ),
        (another_axis, "must get the positions and neighbours as they are"),
        (scaled_rows, "its graph computes something else: on 12 random environments"),
    ],
)
def test_refused_graphs(change, message: str, tmp_path: Path) -> None:
    graph = golden_graph(MODEL)
    change(graph)
    with pytest.raises(ValueError, match=message):
        convert(write(graph, tmp_path / "old.pb"), tmp_path / "new.pb")


def test_rules_that_name_one_atom_twice(tmp_path: Path) -> None:
    """The nearest B, and the nearest atom of a type that is not A."""
    graph = golden_graph(MODEL)
    rules = 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 0, 1
    numbers("Descrpt", "axis_rule", *rules)(graph)
    node = node_of(graph, "train_attr/training_script")
    script = json.loads(tf.make_ndarray(node.attr["value"].tensor).item())
    script["model"]["descriptor"]["axis_rule"] = rules
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(json.dumps(script)))
    with pytest.raises(ValueError, match="its descriptor must exist for some neighbours"):
        convert(write(graph, tmp_path / "old.pb"), tmp_path / "new.pb")


def test_an_atom_without_axes(tmp_path: Path) -> None:
    convert(write(golden_graph(MODEL), tmp_path / "old.pb"), tmp_path / "new.pb")
    coord = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [9, 0, 0], [9, 1, 0]], float)
    message = (
        "^atom 3: `axis_rule` must name neighbours that are there, but type 0 has none .* rule$"
    )
    with DeepPot(tmp_path / "new.pb") as potential, pytest.raises(ValueError, match=message):
        potential.eval(coord.reshape(1, -1), None, [0, 0, 0, 0, 1])
