"""Converting: a model frozen by deepmd-kit's TensorFlow backend becomes a deeptf model.

Models of energies, dipoles, polarizabilities and densities of states with a descriptor of
deepmd/kinds are taken. What else a graph holds is refused by
name (deepmd/graph.py); and the new model has to give what the graph of the old one gives on random
environments (deepmd/check.py) before it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeptf.exchange import frozen
from deeptf.exchange.deepmd.arrays import read_arrays
from deeptf.exchange.deepmd.check import largest_difference
from deeptf.exchange.deepmd.graph import DeepmdGraph, read_graph
from deeptf.exchange.deepmd.pair_table import is_pair_table, read_pair_table
from deeptf.exchange.deepmd.pieces import BOUNDS
from deeptf.exchange.deepmd.settings import DeepmdSettings
from deeptf.exchange.deepmd.sums import DeepmdSum, sum_of
from deeptf.files import refuse_same, replacing
from deeptf.model.model import ModelConfig
from deeptf.model.roles import with_values
from deeptf.model.scopes import in_numbered_scopes
from deeptf.model.table import TABLE, has_stored
from deeptf.model.term.linear_ener import LinearEner
from deeptf.tf import tf

# Allowed differences; constants such as those of gelu are rounded in a graph of float32 nets.
TOLERANCE = {"float64": 1e-10, "float32": 1e-6}
OF_TABLES = 1e-8  # of tables with cubics in place of fifth orders


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
        names = None if type_map is None else tuple(type_map)
        found = _read(read_graph(source), names)
        converted = frozen.build(found.config, found.arrays, found.script)
    with replacing(output) as stream:
        stream.write(converted.SerializeToString())
    notes = found.notes
    if not found.has_names and type_map is None:
        names = " ".join(found.config.type_map)
        notes.append(f"the types have no names: they are {names} now; --type-map gives others")
    return notes


@dataclass(frozen=True)
class _Found:
    """A model of deeptf, and notes on its comparison with the graph."""

    config: ModelConfig
    arrays: dict[str, np.ndarray]
    script: Any
    has_names: bool
    notes: list[str]


def _read(graph_def: tf.GraphDef, type_map: tuple[str, ...] | None) -> _Found:
    """Return the model that a graph is; ValueError where the two differ."""
    parts = sum_of(graph_def)
    if parts is not None:
        return _read_sum(parts, type_map)
    graph = DeepmdGraph(graph_def)
    if is_pair_table(graph):
        config, arrays, has_names = read_pair_table(graph, type_map)
        graph.check_all_read()
        return _Found(config, arrays, None, has_names, [])
    settings = DeepmdSettings(graph, type_map)
    config, arrays = read_arrays(settings)
    graph.check_all_read()
    precise = with_values(config, precision="float64")
    precision = "float64" if config == precise else "float32"
    tolerance = TOLERANCE[precision]
    if has_stored(arrays):
        tolerance = max(tolerance, OF_TABLES)
    notes = [_compare(settings, precise, arrays, tolerance)]
    notes += _table_notes(arrays, BOUNDS[precision])
    return _Found(config, arrays, settings.script, settings.has_names, notes)


def _read_sum(parts: DeepmdSum, type_map: tuple[str, ...] | None) -> _Found:
    """Return the sum of models that the graphs of its parts are."""
    found, notes = [], []
    for number, graph_def in enumerate(parts.graphs):
        try:
            one = _read(graph_def, type_map)
            if one.config.short_range is not None:
                raise ValueError("it must not have a table of pair energies beside its nets")
        except ValueError as error:
            raise ValueError(f"models[{number}]: {error}") from error
        found.append(one)
        notes += [f"models[{number}]: {note}" for note in one.notes]
    term = LinearEner(tuple(one.config.term for one in found), parts.weights)
    config = ModelConfig(term, found[0].config.type_map)
    arrays = in_numbered_scopes(one.arrays for one in found)
    return _Found(config, arrays, parts.script, found[0].has_names, notes)


def _table_notes(arrays: Mapping[str, np.ndarray], bound: float) -> list[str]:
    """Return a note on tables that a model has in place of nets."""
    nodes = [len(array) for name, array in arrays.items() if name.endswith(f"/{TABLE}")]
    if not nodes:
        return []
    return [
        f"tables in place of nets: {sum(nodes)} nodes with cubics between them, within {bound:.0e} "
        "of the fifth orders of the original"
    ]


def _compare(
    settings: DeepmdSettings,
    config: ModelConfig,
    arrays: dict[str, np.ndarray],
    tolerance: float,
) -> str:
    """Return a note on the comparison of the converted model with the graph.

    Raises ValueError where they differ.
    """
    converted = frozen.build(config, arrays, settings.script)
    difference, count = largest_difference(settings.graph, settings.part, config, arrays, converted)
    if not difference <= tolerance:
        raise ValueError(
            "it must be a model of a kind that deeptf has, but its graph computes "
            f"something else: on {count} random environments results differ by up to "
            f"{difference:.1e} (relative)"
        )
    return (
        f"checked against the original graph on {count} random environments: largest difference "
        f"{difference:.1e} (relative)"
    )


@contextmanager
def _naming(source: str | Path) -> Iterator[None]:
    """Put the name of the file before the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{source} cannot be converted: {error}") from error
