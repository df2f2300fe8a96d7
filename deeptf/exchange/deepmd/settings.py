"""Settings of a deeptf model from the graph of a deepmd-kit model.

The graph decides where it shows them; the training input in the file, which may be missing, says
what kind the descriptor is and what a graph does not show, and must not contradict it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deeptf.exchange.deepmd import names
from deeptf.exchange.deepmd.fitting import descriptor_width, fitting_settings
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.parts import descriptor_section, kinds_in, part_of
from deeptf.exchange.deepmd.script import training_script
from deeptf.exchange.deepmd.short_range import short_range_settings
from deeptf.exchange.deepmd.type_embedding import type_embedding_settings
from deeptf.model.model import ModelConfig
from deeptf.model.spin import Spin
from deeptf.model.term.standard import Standard


class DeepmdSettings:
    """The settings of a deepmd-kit model in terms of deeptf.

    type_map : names of the types; None takes those in the graph, or Type_0, Type_1, ... where it
        has none.

    Raises ValueError where something is missing, contradictory or of another kind.
    """

    def __init__(self, graph: DeepmdGraph, type_map: tuple[str, ...] | None = None) -> None:
        self.graph = graph
        self._check_kind()
        self.script = training_script(graph)
        section = descriptor_section(graph, self.script)
        kinds = kinds_in(graph, section)
        graph.check_features(kinds)
        num_types = int(graph.number("descrpt_attr/ntypes"))
        part = part_of(graph, section, num_types)
        graph.check_parts(kinds)
        types = type_embedding_settings(graph)
        self.part = replace(part, width=descriptor_width(graph, types))
        descriptor = self.part.kind.settings(self.part)
        fitting = fitting_settings(graph, self.script, num_types)
        own_names = tuple(graph.text("model_attr/tmap", "").split())
        self.has_names = bool(own_names)
        spin = _spin_settings(graph, num_types)
        type_map = choose_names(spin.num_real if spin else num_types, own_names, type_map)
        short_range = short_range_settings(graph, self.script)
        term = Standard(descriptor, fitting, types, spin)
        self.config = ModelConfig(term, type_map, **short_range)

    def _check_kind(self) -> None:
        self.graph.text("model_type", "original_model")  # which its tables or nets show
        version = self.graph.text("model_attr/model_version", names.VERSIONS[0])
        if version not in names.VERSIONS:
            raise ValueError(
                f"`model_attr/model_version` must be {' or '.join(names.VERSIONS)}, got {version!r}"
            )


def _spin_settings(graph: DeepmdGraph, num_types: int) -> Spin | None:
    """Return which types have spins, and their lengths; None for a model without."""
    if names.SPIN_TYPES not in graph:
        return None
    number = int(graph.number(names.SPIN_TYPES))
    lengths = (graph.array(f"spin_attr/{name}") for name in ("virtual_len", "spin_norm"))
    given = [True] * number + [False] * (num_types - 2 * number)
    return Spin(tuple(given), *(tuple(np.ravel(one).tolist()) for one in lengths))


def choose_names(
    num_types: int, own: tuple[str, ...], given: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Return the names of the types: their own, those given, or numbers."""
    if own and given and own != given:
        raise ValueError(
            f"its types have names already, {' '.join(own)}: `type_map` must be the same, "
            f"got {' '.join(given)}"
        )
    chosen = own or given or tuple(f"Type_{t}" for t in range(num_types))
    if len(chosen) != num_types:
        raise ValueError(
            f"`type_map` must name each of its {num_types} types, got {' '.join(chosen)}"
        )
    return chosen
