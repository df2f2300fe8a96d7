"""Nets in the graph of a deepmd-kit model: widths, precision, activation function and arrays.

Names of arrays are patterns: `{kind}` stands for matrix, bias or idt and `{layer}` for its number.
Widths and precision follow from the weights, activation functions from the nodes behind the first
bias of a net.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from deeptf.exchange.deepmd import names
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import Arrays
from deeptf.model.network import SILUT
from deeptf.tf import tf

PRECISION = {np.dtype(np.float64): "float64", np.dtype(np.float32): "float32"}
ACTIVATION_OPS = {
    "Softplus": "softplus",
    "Relu": "relu",
    "Relu6": "relu6",
    **dict.fromkeys(names.GELU_OPS, "gelu"),
}


def widths(graph: DeepmdGraph, pattern: str, first: int) -> tuple[int, ...]:
    """Return the widths of the layers of a net, whose numbers begin at `first`."""
    found = []
    while (name := pattern.format(kind="matrix", layer=first + len(found))) in graph:
        found.append(graph.array(name).shape[-1])
    return tuple(found)


def has_time_steps(graph: DeepmdGraph, pattern: str, layers: int) -> bool:
    """Return whether a layer of an embedding net has time steps."""
    return any(pattern.format(kind="idt", layer=n + 1) in graph for n in range(layers))


def precision(graph: DeepmdGraph, name: str) -> str:
    """Return the precision of an array of weights."""
    dtype = graph.array(name).dtype
    if dtype not in PRECISION:
        raise ValueError(f"`{name}` must be float64 or float32, got {dtype}")
    return PRECISION[dtype]


def activation(graph: DeepmdGraph, last: str) -> str:
    """Return the activation function of a layer behind its bias, or its matrix without one."""
    scope = last.rpartition("/")[0] + "/"
    nodes = [node for node in graph.graph_def.node if node.name.startswith(scope)]
    added = {node.name for node in nodes if {last, f"{last}/read"} & set(node.input)}
    added -= {f"{last}/read"}
    behind = {node.op for node in nodes if added & set(node.input)}
    for op, name in ACTIVATION_OPS.items():
        if op in behind:
            return name
    if "Less" in behind:
        less = next(n for n in nodes if n.op == "Less" and added & set(n.input))
        return _silut(graph.array(less.input[1], ()))
    if "Sigmoid" in behind:
        return "silu" if "Mul" in behind else "sigmoid"
    if "Pow" in behind:
        cubic = {graph.array(n.name).item() for n in nodes if _is_double(n)}
        return "gelu" if 0.044715 in cubic else "gelu_tf"
    return "tanh" if "Tanh" in behind else "linear"


def embedding_net(
    graph: DeepmdGraph,
    pattern: str,
    target: str,
    widths: Sequence[int],
    resnet_dt: bool,
    bias: bool = True,
) -> Arrays:
    """Return the arrays of an embedding net with these widths, the first of which is the input.

    target : first part of the names of the arrays in deeptf, {target}{layer}/{kind}.
    """
    arrays = {}
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(widths)):
        kinds = ["matrix"] + ["bias"] * bias
        kinds += ["idt"] * (resnet_dt and n_out in (n_in, 2 * n_in))
        name = f"{target}{layer}"
        arrays |= layer_arrays(graph, pattern, layer + 1, name, (n_in, n_out), kinds)
    return arrays


def layer_arrays(
    graph: DeepmdGraph,
    pattern: str,
    layer: int | str,
    target: str,
    shape: tuple[int, int],
    kinds: Sequence[str] = ("matrix", "bias"),
) -> Arrays:
    """Return the arrays of a layer of n_in, n_out = shape."""
    shapes = {"matrix": shape, "bias": shape[1:], "idt": shape[1:]}
    return {
        f"{target}/{kind}": graph.array(pattern.format(kind=kind, layer=layer), shapes[kind])
        for kind in kinds
    }


def _silut(threshold: np.ndarray) -> str:
    """Return the name of silut with a threshold, one of float32 as it was before rounding."""
    value = float(str(threshold[()]))
    return "silut" if value == 3.0 else f"{SILUT}{value}"


def _is_double(node: tf.NodeDef) -> bool:
    """Return whether a node is a single number of type float64."""
    return (
        node.op == "Const"
        and node.attr["dtype"].type == tf.float64.as_datatype_enum
        and not node.attr["value"].tensor.tensor_shape.dim
    )
