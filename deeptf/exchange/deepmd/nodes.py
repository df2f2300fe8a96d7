"""Single nodes of the graph in a frozen model of deepmd-kit: constants, inputs, what is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import numpy as np

from deeptf.exchange.deepmd import names
from deeptf.tf import tf

LARGEST_CONSTANT = 1 << 28  # elements; a larger one is a damaged shape
FLOATS = [t.as_datatype_enum for t in (tf.float16, tf.bfloat16, tf.float32, tf.float64)]
INTEGERS = [t.as_datatype_enum for t in (tf.int32, tf.int64, tf.bool)]


def needed_by(
    nodes: Mapping[str, tf.NodeDef], wanted: Iterable[str], end: Collection[str] = ()
) -> set[str]:
    """Return the names of the wanted nodes and of all that they need, without those of `end`.

    Raises ValueError where one is missing.
    """
    waiting, reached = [name for name in wanted if name not in end], set()
    while waiting:
        name = waiting.pop()
        if name not in nodes:
            raise ValueError(f"it must hold the node `{name}`, but does not: the file is damaged")
        reached.add(name)
        waiting += set(inputs_of(nodes[name])) - reached - set(end)
    return reached


def renamed(node: tf.NodeDef, rename: Callable[[str], str]) -> tf.NodeDef:
    """Return a node under another name, with inputs under other names."""
    result = tf.NodeDef()
    result.CopyFrom(node)
    result.name = rename(node.name)
    result.attr.pop("_class", None)  # which names others
    for place, name in enumerate(node.input):
        control = "^" if name.startswith("^") else ""
        result.input[place] = control + rename(name.removeprefix("^"))
    return result


def inputs_of(node: tf.NodeDef) -> Iterator[str]:
    """Return the names of the nodes that a node needs."""
    return (name.lstrip("^").partition(":")[0] for name in node.input)


def unknown_parts(node: tf.NodeDef, known: frozenset[str]) -> list[str]:
    """Return what is unknown of a node: its op, a placeholder, an output or an attribute."""
    if node.op not in known:
        return [f"op {node.op}"]
    if node.op == "Placeholder" and node.name not in names.INPUTS:
        return [f"the input `{node.name}`"]
    output = names.plain(node.name)
    if output.startswith("o_") and "/" not in output and output not in names.OUTPUTS:
        return [f"the output `{node.name}`"]
    return []


def has_meaning(node: tf.NodeDef) -> bool:
    """Return whether a constant belongs to the model rather than to shapes, slices and axes.

    Single numbers in the arithmetic (a count of places, a half) are not looked at here: the
    comparison of the graphs (run.py) sees them.
    """
    name = names.plain(node.name)
    if names.ARITHMETIC.fullmatch(name):
        return False
    if name in names.ATTRIBUTES:
        return names.ATTRIBUTES[name] == "read"
    dtype = node.attr["dtype"].type
    if "_attr/" in node.name or dtype not in (*FLOATS, *INTEGERS):
        return True
    return dtype in FLOATS and bool(node.attr["value"].tensor.tensor_shape.dim)


def constant(node: tf.NodeDef) -> np.ndarray:
    """Return the value of a constant; ValueError where it is damaged."""
    tensor = node.attr["value"].tensor
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if min(shape, default=0) < 0 or math.prod(shape) > LARGEST_CONSTANT:
        raise ValueError(f"`{node.name}` must have a sensible shape, got {shape}: it is damaged")
    try:
        return tf.make_ndarray(tensor)
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(f"`{node.name}` must hold an array, but is damaged: {error}") from error
