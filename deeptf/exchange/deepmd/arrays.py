"""Arrays of a deeptf model from the graph of a deepmd-kit model.

Weights are looked up by the names that the settings imply: a missing one is an error, and one that
nobody asked for is found by `DeepmdGraph.check_all_read`.
"""

from __future__ import annotations

from deeptf.exchange.deepmd.fitting import fitting_arrays
from deeptf.exchange.deepmd.kind import Arrays
from deeptf.exchange.deepmd.settings import DeepmdSettings
from deeptf.exchange.deepmd.short_range import short_range_arrays
from deeptf.exchange.deepmd.type_embedding import type_embedding_arrays
from deeptf.model.model import ModelConfig
from deeptf.model.scopes import in_scopes
from deeptf.model.term.standard import TYPES


def read_arrays(settings: DeepmdSettings) -> tuple[ModelConfig, Arrays]:
    """Return the arrays of a model with these settings by their names in deeptf, and the settings.

    The settings change where `atom_ener` needs wider fitting nets.
    """
    part, config = settings.part, settings.config
    graph, term = settings.graph, config.term
    types = type_embedding_arrays(graph, term.type_embedding, config.num_types)
    found = {"descriptor": part.kind.arrays(part, term.descriptor), TYPES: types}
    config, found["fitting"] = fitting_arrays(graph, config, types)
    return config, in_scopes(found) | short_range_arrays(graph, config.num_types)
