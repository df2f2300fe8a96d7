"""Damage frozen deepmd-kit models at random: each is refused with a message, or converted to a
model that gives what the damaged graph gives.

    python tests/exchange/mutations.py MODEL COUNT [FIRST]

prints what became of each; test_mutations.py runs a few of them.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from deepmd_models import golden_graph, set_constant, write

from deeptf.config import load
from deeptf.exchange.convert import convert
from deeptf.exchange.deepmd import check
from deeptf.exchange.deepmd.graph import DeepmdGraph, read_graph
from deeptf.exchange.deepmd.nodes import constant
from deeptf.exchange.deepmd.settings import DeepmdSettings
from deeptf.exchange.frozen import read_arrays
from deeptf.exchange.model_file import read_model
from deeptf.exchange.runnable import graph_def_of
from deeptf.model.model import ModelConfig
from deeptf.tf import tf

Mutation = Callable[[tf.GraphDef, np.random.Generator], None]


def any_node(graph: tf.GraphDef, generator: np.random.Generator, op: str = "") -> tf.NodeDef:
    """Return a node, with `op` one of that op."""
    nodes = [node for node in graph.node if not op or node.op == op]
    return nodes[generator.integers(len(nodes))]


def drop_node(graph, generator):
    graph.node.remove(any_node(graph, generator))


def drop_end(graph, generator):
    del graph.node[int(generator.integers(len(graph.node))) :]


def rename_node(graph, generator):
    any_node(graph, generator).name += "x"


def rename_everywhere(graph, generator):
    node = any_node(graph, generator, "Const")
    old, node.name = node.name, node.name + "_renamed"
    for other in graph.node:
        other.input[:] = [node.name if name == old else name for name in other.input]


def change_op(graph, generator):
    any_node(graph, generator).op = any_node(graph, generator).op


def change_input(graph, generator):
    node = any_node(graph, generator)
    while not node.input:
        node = any_node(graph, generator)
    node.input[generator.integers(len(node.input))] = any_node(graph, generator).name


def swap_inputs(graph, generator):
    node = any_node(graph, generator)
    while len(node.input) < 2:
        node = any_node(graph, generator)
    node.input[0], node.input[1] = node.input[1], node.input[0]


def change_number(graph, generator):
    node = any_node(graph, generator, "Const")
    value = np.array(constant(node))
    if value.dtype == object or not value.size:
        return
    place = generator.integers(value.size)
    value.flat[place] = value.flat[place] * 2 + 1
    set_constant(graph, node.name, value)


def scale_numbers(graph, generator):
    node = any_node(graph, generator, "Const")
    value = np.array(constant(node))
    if value.dtype.kind == "f":
        set_constant(graph, node.name, value * 1.001)


def lose_numbers(graph, generator):
    tensor = any_node(graph, generator, "Const").attr["value"].tensor
    tensor.tensor_content = tensor.tensor_content[: len(tensor.tensor_content) // 2]


def change_shape(graph, generator):
    tensor = any_node(graph, generator, "Const").attr["value"].tensor
    tensor.tensor_shape.dim.add(size=int(generator.integers(-2, 4)))


def change_attribute(graph, generator):
    node = any_node(graph, generator)
    key = sorted(node.attr)[generator.integers(len(node.attr))] if node.attr else "T"
    value = node.attr[key]
    field = value.WhichOneof("value")
    if field in ("i", "f", "type"):
        setattr(value, field, getattr(value, field) + 1)
    elif field == "b":
        value.b = not value.b
    elif field == "list" and value.list.i:
        value.list.i[0] += 1


def drop_attribute(graph, generator):
    node = any_node(graph, generator)
    for key in sorted(node.attr)[:1]:
        del node.attr[key]


def repeat_node(graph, generator):
    graph.node.add().CopyFrom(any_node(graph, generator))


def add_constant(graph, generator):
    name = ("modifier_attr/type", "spin_attr/x", "new", "fitting_attr/new")[generator.integers(4)]
    set_constant(graph, name, generator.normal(size=3))


MUTATIONS: list[Mutation] = [
    drop_node,
    drop_end,
    rename_node,
    rename_everywhere,
    change_op,
    change_input,
    swap_inputs,
    change_number,
    scale_numbers,
    lose_numbers,
    change_shape,
    change_attribute,
    drop_attribute,
    repeat_node,
    add_constant,
]


def mutate(name: str, seed: int, path: Path) -> str:
    """Write a damaged model to `path`, in the odd cases with flipped bytes, and return how."""
    generator = np.random.default_rng(seed)
    kind = seed % (len(MUTATIONS) + 3)
    graph = golden_graph(name)
    if kind < len(MUTATIONS):
        MUTATIONS[kind](graph, generator)
        write(graph, path)
        return MUTATIONS[kind].__name__
    content = bytearray(graph.SerializeToString())
    if kind == len(MUTATIONS):
        del content[generator.integers(len(content)) :]
        path.write_bytes(content)
        return "drop_bytes"
    for place in generator.integers(len(content), size=1 + 4 * (kind % 2)):
        content[place] ^= 1 << generator.integers(8)
    path.write_bytes(content)
    return "flip_bits"


def outcome(source: Path) -> str:
    """Return the message of the refusal, or "equal"; AssertionError for a wrong conversion."""
    output = source.with_suffix(".new")
    try:
        convert(source, output)
    except ValueError as error:
        assert not output.exists()
        assert str(error).startswith(f"{source} cannot be converted: ")
        return str(error).partition(" cannot be converted: ")[2]
    assert other_difference(source, output) < 1e-8
    return "equal"


def other_difference(source: Path, output: Path) -> float:
    """Return the largest difference on other environments than those that `convert` looks at."""
    metadata, arrays = read_arrays(output)
    config = load(ModelConfig, metadata["model"])
    graph = DeepmdGraph(read_graph(source))
    part = DeepmdSettings(graph).part
    converted = graph_def_of(read_model(output))
    return check.largest_difference(graph, part, config, arrays, converted, seed=1)[0]


def main() -> None:
    name, count, first = sys.argv[1], int(sys.argv[2]), int((*sys.argv, 0)[3])
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            source = Path(folder) / f"{seed}.pb"
            how = mutate(name, seed, source)
            print(f"{seed} {how}: {outcome(source)}", flush=True)


if __name__ == "__main__":
    main()
