"""Fitting nets in the graph of a deepmd-kit model.

`atom_ener` shows as a second evaluation of a fitting net, at a descriptor of zeros, that is
subtracted. It becomes a part of the energy bias, or of a wider net where it is no constant or where
a table of pair energies needs the bias alone.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deeptf.exchange.deepmd import nets
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import Arrays
from deeptf.exchange.deepmd.rows import check_positive
from deeptf.exchange.deepmd.tensors import OF_ALL, further_arrays, tensor_settings
from deeptf.model.fitting.dos import DosFitting
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.fitting.net_settings import NetSettings
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.type_embedding import TypeEmbedding
from deeptf.tf import session, tf

TENSORS = ("dipole", "polar")
MASK = "fitting_attr/aparam_nall"  # whether aparam is one


def fitting_settings(graph: DeepmdGraph, script: Any, num_types: int) -> NetSettings:
    """Return the settings of the fitting nets.

    One without hidden layers becomes a hidden layer of linear neurons, one for each output.

    script : the input of the training, if there is one
    """
    owner = _first_owner(graph)
    pattern = f"layer_{{layer}}{owner}/{{kind}}"
    neuron = nets.widths(graph, pattern, 0)
    function = "linear"
    if neuron:
        function = nets.activation(graph, pattern.format(kind="bias", layer=0))
    common = {
        "neuron": neuron or (graph.array(f"final_layer{owner}/matrix").shape[-1],),
        "activation_function": function,
        "precision": nets.precision(graph, f"final_layer{owner}/matrix"),
        "resnet_dt": any(re.fullmatch(r"layer_\d+(_type_\d+)?/idt", name) for name in graph.nodes),
    }
    if graph.kind in TENSORS:
        return tensor_settings(graph, script, num_types, common)
    common |= {f"numb_{kind}": _parameters(graph, kind) for kind in ("fparam", "aparam")}
    if graph.kind == "dos":
        return DosFitting(numb_dos=int(graph.number("fitting_attr/numb_dos")), **common)
    return EnerFitting(use_aparam_as_mask=_is_mask(graph), **common)


def descriptor_width(graph: DeepmdGraph, types: TypeEmbedding | None) -> int:
    """Return how many numbers of the descriptor the fitting nets take."""
    owner = _first_owner(graph)
    first = f"layer_0{owner}/matrix"
    inputs = len(graph.array(first if first in graph else f"final_layer{owner}/matrix"))
    parameters = [] if graph.kind in TENSORS else ["fparam"] + ["aparam"] * (not _is_mask(graph))
    return inputs - sum(_parameters(graph, kind) for kind in parameters) - _vector(types)


def fitting_arrays(
    graph: DeepmdGraph, config: ModelConfig, types: Arrays
) -> tuple[ModelConfig, Arrays]:
    """Return the arrays of the fitting nets by their names in deeptf, and the settings.

    The settings change where `atom_ener` needs wider fitting nets.

    types : arrays of the net that makes vectors of types.
    """
    fitting = config.term.fitting_net
    arrays = _statistics(graph, fitting) | _nets(graph, config)
    if graph.kind != "ener":
        return config, arrays | further_arrays(graph, config)
    arrays["energy_bias"] = _energy_bias(graph, _num_types(config))
    owners = _owners(graph, config)
    relative = [net for owner, net in owners if f"final_layer{owner}_1/MatMul" in graph]
    if not relative:
        return config, arrays
    short_range = config.short_range
    if fitting.conditions or (short_range is not None and short_range.with_bias):
        return _with_nets_at_zero(config, arrays, relative)
    counts = len(owners) == 1 or np.array([net in relative for _, net in owners])
    arrays["energy_bias"] -= np.where(counts, _energy_at_zero(config, arrays, types), 0.0)
    return config, arrays


def _owners(graph: DeepmdGraph, config: ModelConfig) -> list[tuple[str, str]]:
    """Return the ends of the names of layers in the graph, and the name of the net in deeptf."""
    if OF_ALL in graph:
        return [("", "all")]
    types = config.term.fitting_net.chosen(_num_types(config))
    return [(f"_type_{t}", f"type_{t}") for t in types]


def _num_types(config: ModelConfig) -> int:
    """Return the number of types that have energies: virtual atoms of spins have none."""
    return config.num_types if config.term.spin is None else config.term.spin.num_real


def _first_owner(graph: DeepmdGraph) -> str:
    """Return the end of the names of the layers of a net that is there."""
    found = re.compile(r"final_layer(_type_\d+)?/matrix")
    owners = [match[1] or "" for match in map(found.fullmatch, graph.nodes) if match]
    return min(owners, key=len, default="_type_0")


def _is_mask(graph: DeepmdGraph) -> bool:
    """Return whether aparam is a mask of atoms."""
    return MASK in graph and graph.number(MASK) == 1


def _vector(types: TypeEmbedding | None) -> int:
    """Return the length of the vectors of types."""
    return 0 if types is None else types.width


def _conditions(fitting: NetSettings) -> int:
    """Return how many frame and atom parameters the nets take."""
    return sum(getattr(fitting, f"numb_{name}") for name in fitting.conditions)


def _parameters(graph: DeepmdGraph, kind: str) -> int:
    """Return how many frame or atom parameters the fitting nets take."""
    size = int(graph.number(f"fitting_attr/d{kind}", 0))
    if size and f"t_{kind}" not in graph:
        raise ValueError(
            f"it must have the input `t_{kind}`, since `fitting_attr/d{kind}` is {size}, but "
            "does not"
        )
    return size


def _statistics(graph: DeepmdGraph, fitting: NetSettings) -> Arrays:
    """Return mean and standard deviation of frame and atom parameters."""
    arrays = {}
    for kind in fitting.conditions:
        size = getattr(fitting, f"numb_{kind}")
        mean = graph.array(f"fitting_attr/t_{kind}_avg", (size,))
        inverse = graph.array(f"fitting_attr/t_{kind}_istd", (size,))
        check_positive(f"fitting_attr/t_{kind}_istd", inverse)
        arrays[f"{kind}_mean"] = mean.astype(np.float64)
        arrays[f"{kind}_stddev"] = 1.0 / inverse.astype(np.float64)
    return arrays


def _energy_bias(graph: DeepmdGraph, num_types: int) -> np.ndarray:
    """Return what is added to the net of each type; in old models the last layer has all of it."""
    scale = "model_attr/model_attr/t_out_std"
    if scale in graph and np.any(graph.array(scale, (num_types,)) != 1.0):
        raise ValueError(f"`{scale}` must be 1 for every type, but is not")
    bias = np.zeros(num_types)
    for name in ("fitting_attr/t_bias_atom_e", "model_attr/model_attr/t_out_bias"):
        if name in graph:
            bias += graph.array(name, (num_types,))
    return bias


def _nets(graph: DeepmdGraph, config: ModelConfig) -> Arrays:
    term, fitting = config.term, config.term.fitting_net
    inputs = term.descriptor.width + _vector(term.type_embedding)
    widths = inputs + _conditions(fitting), *fitting.neuron
    arrays, outputs = {}, fitting.num_outputs(term.descriptor)
    for owner, net in _owners(graph, config):
        if f"layer_0{owner}/matrix" not in graph:
            arrays |= _linear_net(graph, owner, net, (widths[0], outputs))
            continue
        for layer, (n_in, n_out) in enumerate(itertools.pairwise(widths)):
            kinds = ["matrix", "bias"]
            kinds += ["idt"] * (fitting.resnet_dt and layer > 0 and n_in == n_out)
            place = f"layer_{{layer}}{owner}/{{kind}}", layer, f"{net}/{layer}"
            arrays |= nets.layer_arrays(graph, *place, (n_in, n_out), kinds)
        place = f"final_layer{owner}/{{kind}}", "", f"{net}/last"
        arrays |= nets.layer_arrays(graph, *place, (widths[-1], outputs))
    return arrays


def _linear_net(graph: DeepmdGraph, owner: str, net: str, shape: tuple[int, int]) -> Arrays:
    """Return the arrays of a net that has no hidden layer in the graph."""
    place = f"final_layer{owner}/{{kind}}", "", f"{net}/0"
    arrays = nets.layer_arrays(graph, *place, shape)
    dtype = arrays[f"{net}/0/matrix"].dtype
    last = {"matrix": np.eye(shape[1], dtype=dtype), "bias": np.zeros(shape[1], dtype)}
    return arrays | {f"{net}/last/{kind}": value for kind, value in last.items()}


def _energy_at_zero(config: ModelConfig, arrays: Arrays, types: Arrays) -> np.ndarray:
    """Return the value of each type's fitting net at a descriptor of zeros, [T] in eV."""
    one_of_each = np.ones(_num_types(config), np.int32)
    term = config.term
    with tf.Graph().as_default() as graph:
        vectors = None
        if term.type_embedding is not None:
            parameters = Parameters(types, frozen=True)
            vectors = term.type_embedding.vectors(config.num_types, parameters)
        descriptor = tf.zeros([_num_types(config), term.descriptor.width], tf.float64)
        parameters = Parameters(arrays, frozen=True)
        energy, _ = term.fitting_net.nets(descriptor, one_of_each, None, vectors, parameters)
        with session(graph) as run:
            return run.run(energy)


def _with_nets_at_zero(
    config: ModelConfig, arrays: Arrays, relative: Sequence[str]
) -> tuple[ModelConfig, Arrays]:
    """Return a model whose fitting nets give N(D, p) - N(0, p) where they are among `relative`.

    With frame or atom parameters p the value at a descriptor of zeros is no constant, and a bias
    that a table takes must not hold it. A net of twice the width gives both values: its second half
    sees the parameters only, and counts negative.
    """
    fitting, width = config.term.fitting_net, config.term.descriptor.width
    nets_there = sorted({name.partition("/")[0] for name in arrays if name.endswith("/matrix")})
    result = {name: value for name, value in arrays.items() if "/" not in name}
    for net in nets_there:
        for layer in range(len(fitting.neuron)):
            matrix = arrays[f"{net}/{layer}/matrix"]
            none = np.zeros_like(matrix)
            if layer == 0:
                none[width:] = matrix[width:]
                doubled = np.hstack([matrix, none])
            else:
                doubled = np.block([[matrix, none], [none, matrix]])
            result[f"{net}/{layer}/matrix"] = doubled
            for kind in ("bias", "idt"):
                if (name := f"{net}/{layer}/{kind}") in arrays:
                    result[name] = np.tile(arrays[name], 2)
        matrix, bias = (arrays[f"{net}/last/{kind}"] for kind in ("matrix", "bias"))
        sign = -1.0 if net in relative else 0.0
        result[f"{net}/last/matrix"] = np.vstack([matrix, sign * matrix])
        result[f"{net}/last/bias"] = bias * (1.0 + sign)
    wider = replace(fitting, neuron=tuple(2 * n for n in fitting.neuron))
    return replace(config, term=replace(config.term, fitting_net=wider)), result
