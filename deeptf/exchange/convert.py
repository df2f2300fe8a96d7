"""Converting: a model frozen by deepmd-kit's TensorFlow backend becomes a deeptf model.

Energy models with a descriptor of deepmd_kinds.py and without type embedding are taken. What else
a graph holds is refused by name (deepmd_graph.py); and the new model has to give what the graph of
the old one gives on random environments (deepmd_check.py) before it is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from deeptf.exchange import frozen
from deeptf.exchange.deepmd_arrays import read_arrays
from deeptf.exchange.deepmd_check import largest_difference
from deeptf.exchange.deepmd_graph import DeepmdGraph, read_graph
from deeptf.exchange.deepmd_kinds import NAMES
from deeptf.exchange.deepmd_settings import DeepmdSettings
from deeptf.files import refuse_same, replacing
from deeptf.model.model import ModelConfig
from deeptf.model.roles import with_values
from deeptf.tf import tf

# Allowed differences; constants such as those of gelu are rounded in a graph of float32 nets.
TOLERANCE = {"float64": 1e-10, "float32": 1e-6}


def convert(
    source: str | Path, output: str | Path, type_map: Sequence[str] | None = None
) -> list[str]:
    """Read a frozen deepmd-kit model, write it as a frozen deeptf model and return notes on it.

    type_map : names of the types, for a model that has none.
    Raises FileNotFoundError, or ValueError that names `source`, where the file is damaged or holds
    a model of another kind; then nothing is written.
    """
    refuse_same(source, output)
    with _naming(source):
        graph = DeepmdGraph(read_graph(source))
        settings = DeepmdSettings(graph, None if type_map is None else tuple(type_map))
        config, arrays = read_arrays(graph, settings.config)
        script = _training_script(graph)
        graph.check_all_read()
        precise = with_values(config, precision="float64")
        converted = frozen.build(precise, arrays, script)
        notes = [_compare(graph, precise, arrays, converted, _tolerance(config))]
        if config != precise:
            converted = frozen.build(config, arrays, script)
    with replacing(output) as stream:
        stream.write(converted.SerializeToString())
    if not settings.has_names and type_map is None:
        names = " ".join(config.type_map)
        notes.append(f"the types have no names: they are {names} now; --type-map gives others")
    return notes


def _tolerance(config: ModelConfig) -> float:
    return max(
        TOLERANCE[part.precision] for part in (config.term.descriptor, config.term.fitting_net)
    )


def _compare(
    graph: DeepmdGraph,
    config: ModelConfig,
    arrays: dict[str, np.ndarray],
    converted: tf.GraphDef,
    tolerance: float,
) -> str:
    """Return a note on the comparison of the converted model with the graph.

    Raises ValueError where they differ.
    """
    difference, count = largest_difference(graph, config, arrays, converted)
    if not difference <= tolerance:
        raise ValueError(
            f"it must be a plain {NAMES} energy model, but its graph computes something else: "
            f"on {count} random environments results differ by up to {difference:.1e} (relative)"
        )
    return (
        f"checked against the original graph on {count} random environments: largest difference "
        f"{difference:.1e} (relative)"
    )


def _training_script(graph: DeepmdGraph) -> dict | None:
    """Return the input of the training, if the file has it."""
    text = graph.text("train_attr/training_script", "null")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"`train_attr/training_script` must be JSON, but is not: {error}"
        ) from error


@contextmanager
def _naming(source: str | Path) -> Iterator[None]:
    """Put the name of the file before the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{source} cannot be converted: {error}") from error
