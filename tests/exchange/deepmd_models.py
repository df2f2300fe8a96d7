"""Frozen deepmd-kit models for tests: the golden ones, as they are and changed."""

from __future__ import annotations

import gzip
from pathlib import Path

from deeptf.tf import tf

GOLDEN = Path(__file__).parents[1] / "golden"
SMALL = "switch_4_6"  # the smallest


def golden_graph(name: str = SMALL) -> tf.GraphDef:
    """Return the graph of a golden model."""
    return tf.GraphDef.FromString(gzip.decompress((GOLDEN / f"{name}.pb.gz").read_bytes()))


def node_of(graph: tf.GraphDef, name: str) -> tf.NodeDef:
    """Return the node of a name."""
    return next(node for node in graph.node if node.name == name)


def set_constant(graph: tf.GraphDef, name: str, value: object) -> None:
    """Give a constant another value, or add it."""
    tensor = tf.make_tensor_proto(value)
    found = [node for node in graph.node if node.name == name]
    node = found[0] if found else graph.node.add(name=name, op="Const")
    node.attr["value"].tensor.CopyFrom(tensor)
    node.attr["dtype"].type = tensor.dtype


def add_between(graph: tf.GraphDef, name: str, op: str, *inputs: str) -> tf.NodeDef:
    """Put a float64 node of two or one inputs behind the node `name`: it takes over the name."""
    node = node_of(graph, name)
    node.name = f"{name}/before"
    added = graph.node.add(name=name, op=op, input=[node.name, *inputs])
    added.attr["T"].type = tf.float64.as_datatype_enum
    return added


def write(graph: tf.GraphDef, path: Path) -> Path:
    """Write a graph and return its path."""
    path.write_bytes(graph.SerializeToString())
    return path
