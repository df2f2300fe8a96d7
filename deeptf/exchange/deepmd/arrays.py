"""Arrays of a deeptf model from the graph of a deepmd-kit model.

Weights are looked up by the names that the settings imply: a missing one is an error, and one that
nobody asked for is found by `DeepmdGraph.check_all_read`.
"""

from __future__ import annotations

from deeptf.exchange.deepmd.fitting import fitting_arrays
from deeptf.exchange.deepmd.kind import Arrays
from deeptf.exchange.deepmd.settings import DeepmdSettings
from deeptf.model.model import ModelConfig


def read_arrays(settings: DeepmdSettings) -> tuple[ModelConfig, Arrays]:
    """Return the arrays of a model with these settings by their names in deeptf, and the settings.

    The settings change where `atom_ener` needs wider fitting nets.
    """
    part, config = settings.part, settings.config
    found = {"descriptor": part.kind.arrays(part, config.term.descriptor)}
    config, found["fitting"] = fitting_arrays(settings.graph, config)
    arrays = {f"{scope}/{name}": array for scope in found for name, array in found[scope].items()}
    return config, arrays
