"""What models of dipoles, polarizabilities and densities of states have beyond nets, in a graph.

Where each type has a net, deepmd-kit takes scale and constant of a polarizability by the place of
the type among the chosen ones; where types have vectors, by the type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import Arrays
from deeptf.exchange.deepmd.script import NAME, section_of
from deeptf.model.fitting.dipole import DipoleFitting
from deeptf.model.fitting.net_settings import NetSettings
from deeptf.model.fitting.polar import PolarFitting
from deeptf.model.model import ModelConfig

CONSTANT = "fitting_attr/t_constant_matrix"
OF_ALL = "final_layer/matrix"  # is there where types have vectors: then one net is for all of them
OUT = "model_attr/model_attr/t_out_"


def tensor_settings(
    graph: DeepmdGraph, script: Any, num_types: int, common: Mapping[str, Any]
) -> NetSettings:
    """Return the settings of nets of a tensor; `common` are those that all nets have."""
    given = tuple(int(t) for t in np.ravel(graph.array("model_attr/sel_type")))
    if given and not 0 <= min(given) <= max(given) < num_types:
        raise ValueError(
            f"`model_attr/sel_type` must hold its {num_types} types, got {list(given)}"
        )
    graph.number("model_attr/output_dim")
    common, chosen = {**common, "sel_type": given}, sorted(given)
    if graph.kind == "dipole":
        return DipoleFitting(**common)
    section = section_of(script, "model", "fitting_net")
    if section is None:
        raise ValueError(f"`{NAME}` must hold model/fitting_net of a polarizability, but does not")
    fit_diag = section.get("fit_diag", True)
    if not isinstance(fit_diag, bool):
        raise ValueError(
            f"`{NAME}`: model/fitting_net/fit_diag must be true or false, got {fit_diag}"
        )
    given = np.array(section.get("scale", 1.0), np.float64)
    if given.shape not in ((), (num_types,)):
        raise ValueError(
            f"`{NAME}`: model/fitting_net/scale must be one number or {num_types}, got {given}"
        )
    scale = np.ones(num_types)
    scale[chosen] = np.broadcast_to(given, num_types)[_places(graph, chosen)]
    return PolarFitting(fit_diag=fit_diag, scale=tuple(scale.tolist()), **common)


def further_arrays(graph: DeepmdGraph, config: ModelConfig) -> Arrays:
    """Return the arrays of a model beyond those of its nets."""
    for name, value in ((f"{OUT}bias", 0.0), (f"{OUT}std", 1.0)):
        if name in graph and np.any(graph.array(name) != value):
            raise ValueError(f"`{name}` must be {value:g} everywhere, but is not")
    if graph.kind != "polar":
        return {}
    chosen = config.term.fitting_net.chosen(config.num_types)
    constant = np.zeros(config.num_types)
    if CONSTANT in graph:
        constant[chosen] = graph.array(CONSTANT, (config.num_types,))[_places(graph, chosen)]
    return {"constant": constant}


def _places(graph: DeepmdGraph, chosen: list[int]) -> list[int]:
    """Return where the numbers of the chosen types lie."""
    return chosen if OF_ALL in graph else list(range(len(chosen)))
