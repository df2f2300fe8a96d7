"""The graph of a model that is a table of pair energies alone (pairtab), a part of sums.

The op PairTab takes types, displacements and neighbours as they are, and a scale of 1; the outputs
are what it gives. deepmd-kit 3.2.0 looks up u(t_i, 0) whatever the type of the neighbour, which is
no model of it; here it is u(t_i, t_j).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deeptf.exchange.deepmd import names
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import Arrays, Kind
from deeptf.exchange.deepmd.script import section_of, training_script
from deeptf.exchange.deepmd.settings import choose_names
from deeptf.exchange.deepmd.short_range import DATA, INFO, TABLE, has_table, short_range_arrays
from deeptf.model.model import ModelConfig
from deeptf.model.scopes import below, in_scopes
from deeptf.model.term.pairtab import SCOPE as OWN_SCOPE
from deeptf.model.term.pairtab import PairTab
from deeptf.model.term.short_range import SCOPE
from deeptf.tf import tf

NEIGHBOURS = "ProdEnvMatAMix"
# What each input of PairTab may be behind changes of shape; None is looked at alone.
INPUTS = (INFO, DATA, "t_type", f"{NEIGHBOURS}:2", f"{NEIGHBOURS}:3", "t_natoms")
KEEPS = ("Identity", "Reshape")
OUTPUTS = {  # what each is behind changes of shape, and sums
    names.ATOM_ENERGY: "",
    names.ENERGY: "",
    names.FORCE: ":1",
    names.ATOM_VIRIAL: ":2",
    names.VIRIAL: ":2",
}
SUMS = (names.ENERGY, names.VIRIAL)


class Neighbours(Kind):
    """The op that finds neighbours whatever their types."""

    environment = (NEIGHBOURS,)
    features = frozenset({names.MIXED})


def is_pair_table(graph: DeepmdGraph) -> bool:
    """Return whether a graph is of such a model."""
    return has_table(graph) and not any("layer_0" in name for name in graph.nodes)


def read_pair_table(
    graph: DeepmdGraph, type_map: tuple[str, ...] | None
) -> tuple[ModelConfig, Arrays, bool]:
    """Return settings and arrays, and whether types have names; ValueError for another graph."""
    types = int(graph.number("descrpt_attr/ntypes"))
    for name in ("model_type", "model_attr/model_version", "model_attr/model_type"):
        graph.text(name, "")
    graph.check_features([Neighbours()])
    graph.check_parts([Neighbours()])
    table, finds = graph.only((TABLE,)), graph.only((NEIGHBOURS,))
    _check_inputs(graph, table, finds)
    for name, output in OUTPUTS.items():
        if _source(graph, name, (*KEEPS, "Sum") if name in SUMS else KEEPS) != table.name + output:
            raise ValueError(f"`{name}` must be what `{table.name}` (op {TABLE}) gives, but is not")
    section = section_of(training_script(graph), "model") or {}
    rcut = section.get("rcut")
    in_graph = graph.number("descrpt_attr/rcut")
    if not isinstance(rcut, float | int) or np.float32(rcut) != np.float32(in_graph):
        rcut = float(in_graph)
    own_names = tuple(graph.text("model_attr/tmap", "").split())
    type_map = choose_names(types, own_names, type_map)
    term = PairTab(str(section.get("tab_file", DATA)), float(rcut))
    arrays = in_scopes({OWN_SCOPE: below(short_range_arrays(graph, types), SCOPE)})
    return ModelConfig(term, type_map), arrays, bool(own_names)


def _check_inputs(graph: DeepmdGraph, table: tf.NodeDef, finds: tf.NodeDef) -> None:
    """Raise ValueError unless the op of the table gets atoms and neighbours as they are."""
    wanted = [name.replace(NEIGHBOURS, finds.name) for name in INPUTS]
    given = [_source(graph, name, KEEPS) for name in table.input[: len(wanted)]]
    scale = graph.nodes[table.input[-1]]
    ones = scale.op == "Fill" and np.all(graph.array(scale.input[1]) == 1.0)
    for name in finds.input[5:]:  # of rows, which nothing takes
        graph.array(name)
    sources = [_source(graph, name, KEEPS) for name in finds.input[:4]]
    if given != wanted or not ones or sources != ["t_coord", "t_type", "t_natoms", "t_box"]:
        raise ValueError(
            f"`{table.name}` (op {TABLE}) must get atoms and neighbours as they are, but does not"
        )


def _source(graph: DeepmdGraph, name: str, through: Sequence[str]) -> str:
    """Return the tensor that others are made of by ops that change no numbers, or add them."""
    while (node := graph.nodes[name.partition(":")[0]]).op in through:
        name = node.input[0]
    return name
