"""The net that makes vectors of types, in the graph of a deepmd-kit model."""

from __future__ import annotations

import re

import numpy as np

from deeptf.exchange.deepmd import nets
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import Arrays
from deeptf.exchange.deepmd.script import section_of, training_script
from deeptf.model.type_embedding import TypeEmbedding

PATTERN = "type_embed_net/{kind}_{layer}"
FIRST, FIRST_BIAS = (PATTERN.format(kind=kind, layer=1) for kind in ("matrix", "bias"))
EMPTY = re.compile(r"zeros(_\d+)?")  # the vector of a place without an atom


def type_embedding_settings(graph: DeepmdGraph) -> TypeEmbedding | None:
    """Return the settings of the net, or None in a model without one."""
    if FIRST not in graph:
        return None
    neuron = nets.widths(graph, PATTERN, 1)
    section = section_of(training_script(graph), "model", "type_embedding") or {}
    return TypeEmbedding(
        neuron=neuron,
        activation_function=nets.activation(graph, FIRST_BIAS if FIRST_BIAS in graph else FIRST),
        resnet_dt=nets.has_time_steps(graph, PATTERN, len(neuron)),
        precision=nets.precision(graph, FIRST),
        use_tebd_bias=FIRST_BIAS in graph,
        use_econf_tebd=section.get("use_econf_tebd") is True,
    )


def type_embedding_arrays(
    graph: DeepmdGraph, settings: TypeEmbedding | None, num_types: int
) -> Arrays:
    """Return the arrays of the net by their names in deeptf."""
    if settings is None:
        return {}
    for name in filter(EMPTY.fullmatch, graph.constants_of_shape((1, settings.width))):
        if np.any(graph.array(name)):
            raise ValueError(f"`{name}` must be {settings.width} zeros, got others")
    widths = num_types, *settings.neuron
    return nets.embedding_net(
        graph, PATTERN, "", widths, settings.resnet_dt, settings.use_tebd_bias
    )
