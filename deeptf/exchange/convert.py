"""Converting: a model frozen by deepmd-kit's TensorFlow backend becomes a deeptf model.

Models of energies, dipoles, polarizabilities and densities of states with a descriptor of
deepmd/kinds are taken, with spins or without, and sums of models of energies (deepmd/sums.py). What
else a graph holds is refused by name (deepmd/graph.py); and the new model, or each part of a sum,
has to give what the graph of the old one gives on random environments (deepmd/check.py) before it
is written. Of a model with spins these are the energies: forces follow from their definition. A
modifier dipole_charge is taken with the model of dipoles in it, which is compared in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from deeptf.exchange import frozen
from deeptf.exchange.deepmd.arrays import read_arrays
from deeptf.exchange.deepmd.check import largest_difference
from deeptf.exchange.deepmd.graph import DeepmdGraph, read_graph
from deeptf.exchange.deepmd.modifier import GraphModifier, part_modifier
from deeptf.exchange.deepmd.pair_table import is_pair_table, read_pair_table
from deeptf.exchange.deepmd.pieces import BOUNDS
from deeptf.exchange.deepmd.settings import DeepmdSettings
from deeptf.exchange.deepmd.sums import DeepmdSum, sum_of
from deeptf.files import refuse_same, replacing
from deeptf.model.model import MODIFIER, ModelConfig
from deeptf.model.roles import with_values
from deeptf.model.scopes import in_numbered_scopes, in_scopes
from deeptf.model.table_arrays import TABLE, has_stored
from deeptf.model.term.dipole_charge import DipoleCharge
from deeptf.model.term.frozen import Frozen
from deeptf.model.term.linear_ener import LinearEner
from deeptf.model.term.part import Part
from deeptf.tf import tf

# Allowed differences; constants such as those of gelu are rounded in a graph of float32 nets.
TOLERANCE = {"float64": 1e-10, "float32": 1e-6}
OF_BOTH = (
    "its table holds energies by the types of both atoms, and so it is read; deepmd-kit 3.2.0 "
    "takes those of the centre and the first type"
)
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
    found = read_foreign(source, type_map)
    with _naming(source):
        graph_def = frozen.build(found.config, found.arrays, found.script)
    with replacing(output) as stream:
        stream.write(graph_def.SerializeToString(deterministic=True))
    notes = found.notes
    if not found.has_names and type_map is None:
        names = " ".join(found.config.type_map)
        notes.append(f"the types have no names: they are {names} now; --type-map gives others")
    return notes


@dataclass(frozen=True)
class Converted:
    """A model of another program in terms of deeptf, and notes on its comparison with the graph."""

    config: ModelConfig
    arrays: dict[str, np.ndarray]
    script: dict[str, Any] | None  # input of its training
    has_names: bool
    notes: list[str]


def read_foreign(source: str | Path, type_map: Sequence[str] | None = None) -> Converted:
    """Return the model in a file of deepmd-kit, compared with its graph; arguments of `convert`."""
    with _naming(source):
        names = None if type_map is None else tuple(type_map)
        graph_def, modifier = part_modifier(read_graph(source))
        found = _read(graph_def, names)
        return found if modifier is None else _with_modifier(found, modifier)


def _with_modifier(found: Converted, modifier: GraphModifier) -> Converted:
    """Return a model with its modifier."""
    inside = _read(modifier.dipole.graph_def, found.config.type_map)
    term = DipoleCharge(
        modifier.model_name,
        modifier.model_charge_map,
        modifier.sys_charge_map,
        modifier.ewald_beta,
        modifier.ewald_h,
        inside.config.term,
    )
    return replace(
        found,
        config=replace(found.config, modifier=term),
        arrays={**found.arrays, **in_scopes({MODIFIER: inside.arrays})},
        notes=[*found.notes, *(f"model of dipoles: {note}" for note in inside.notes)],
    )


def _read(graph_def: tf.GraphDef, type_map: tuple[str, ...] | None) -> Converted:
    """Return the model that a graph is; ValueError where the two differ."""
    parts = sum_of(graph_def)
    if parts is not None:
        return _read_sum(parts, type_map)
    graph = DeepmdGraph(graph_def)
    if is_pair_table(graph):
        config, arrays, has_names = read_pair_table(graph, type_map)
        graph.check_all_read()
        return Converted(config, arrays, None, has_names, [OF_BOTH])
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
    mixed = any(getattr(leaf.kind, "mixed", False) for leaf in settings.part.leaves)
    if config.short_range is not None and mixed:
        notes.append(OF_BOTH)
    return Converted(config, arrays, settings.script, settings.has_names, notes)


def _read_sum(parts: DeepmdSum, type_map: tuple[str, ...] | None) -> Converted:
    """Return the sum of models that the graphs of its parts are."""
    found, notes = [], []
    for number, graph_def in enumerate(parts.graphs):
        try:
            one = _read(graph_def, type_map)
        except ValueError as error:
            raise ValueError(f"models[{number}]: {error}") from error
        found.append(one)
        notes += [f"models[{number}]: {note}" for note in one.notes]
    models = tuple(
        one.config.part if file is None else Part(Frozen(file, one.config.part))
        for one, file in zip(found, parts.files, strict=True)
    )
    term = LinearEner(models, parts.weights)
    config = ModelConfig(term, found[0].config.type_map)
    arrays = in_numbered_scopes(one.arrays for one in found)
    return Converted(config, arrays, parts.script, found[0].has_names, notes)


def _table_notes(arrays: Mapping[str, np.ndarray], bound: float) -> list[str]:
    """Return a note on tables that a model has in place of nets."""
    nodes = [len(array) for name, array in arrays.items() if name.endswith(f"/{TABLE}")]
    if not nodes:
        return []
    return [
        f"tables in place of nets: {sum(nodes)} nodes with cubics between them, within {bound:.0e} "
        f"of the fifth orders of the original, and slopes within some {bound**0.75:.0e}"
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
