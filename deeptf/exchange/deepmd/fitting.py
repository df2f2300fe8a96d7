"""Fitting nets of energies in the graph of a deepmd-kit model.

`atom_ener` shows as a second evaluation of a fitting net, at a descriptor of zeros, that is
subtracted. It becomes a part of the energy bias, or of a wider net.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import numpy as np

from deeptf.exchange.deepmd import nets
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import Arrays
from deeptf.exchange.deepmd.rows import check_positive
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.tf import session, tf

FIRST = "layer_{layer}_type_0/{kind}"  # of the net of the first type


def fitting_settings(graph: DeepmdGraph) -> EnerFitting:
    """Return the settings of the fitting nets."""
    first = FIRST.format(kind="matrix", layer=0)
    return EnerFitting(
        *(_parameters(graph, kind) for kind in ("fparam", "aparam")),
        neuron=nets.widths(graph, FIRST, 0),
        activation_function=nets.activation(graph, FIRST.format(kind="bias", layer=0)),
        precision=nets.precision(graph, first),
        resnet_dt=any(re.fullmatch(r"layer_\d+_type_\d+/idt", name) for name in graph.nodes),
    )


def descriptor_width(graph: DeepmdGraph, fitting: EnerFitting) -> int:
    """Return how many numbers of the descriptor the fitting nets take."""
    inputs = len(graph.array(FIRST.format(kind="matrix", layer=0)))
    return inputs - fitting.numb_fparam - fitting.numb_aparam


def fitting_arrays(graph: DeepmdGraph, config: ModelConfig) -> tuple[ModelConfig, Arrays]:
    """Return the arrays of the fitting nets by their names in deeptf, and the settings.

    The settings change where `atom_ener` needs wider fitting nets.
    """
    arrays = _statistics(graph, config.term.fitting_net) | _nets(graph, config)
    arrays["energy_bias"] = _energy_bias(graph, config.num_types)
    types = range(config.num_types)
    relative = [t for t in types if f"final_layer_type_{t}_1/MatMul" in graph]
    if relative and (config.term.fitting_net.numb_fparam or config.term.fitting_net.numb_aparam):
        return _with_nets_at_zero(config, arrays, relative)
    if relative:
        arrays["energy_bias"][relative] -= _energy_at_zero(config, arrays)[relative]
    return config, arrays


def _parameters(graph: DeepmdGraph, kind: str) -> int:
    """Return how many frame or atom parameters the fitting nets take."""
    size = int(graph.number(f"fitting_attr/d{kind}", 0))
    if size and f"t_{kind}" not in graph:
        raise ValueError(
            f"it must have the input `t_{kind}`, since `fitting_attr/d{kind}` is {size}, but "
            "does not (deeptf has no mask of atoms, use_aparam_as_mask)"
        )
    return size


def _statistics(graph: DeepmdGraph, fitting: EnerFitting) -> Arrays:
    """Return mean and standard deviation of frame and atom parameters."""
    arrays = {}
    for kind in ("fparam", "aparam"):
        if size := getattr(fitting, f"numb_{kind}"):
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
    fitting = config.term.fitting_net
    inputs = config.term.descriptor.width + fitting.numb_fparam + fitting.numb_aparam
    widths = inputs, *fitting.neuron
    arrays = {}
    for t in range(config.num_types):
        for layer, (n_in, n_out) in enumerate(itertools.pairwise(widths)):
            kinds = ["matrix", "bias"]
            kinds += ["idt"] * (fitting.resnet_dt and layer > 0 and n_in == n_out)
            place = f"layer_{{layer}}_type_{t}/{{kind}}", layer, f"type_{t}/{layer}"
            arrays |= nets.layer_arrays(graph, *place, (n_in, n_out), kinds)
        place = f"final_layer_type_{t}/{{kind}}", "", f"type_{t}/last"
        arrays |= nets.layer_arrays(graph, *place, (widths[-1], 1))
    return arrays


def _energy_at_zero(config: ModelConfig, arrays: Arrays) -> np.ndarray:
    """Return the value of each type's fitting net at a descriptor of zeros, [T] in eV."""
    one_of_each = np.ones(config.num_types, np.int32)
    parameters = Parameters(arrays, frozen=True)
    with tf.Graph().as_default() as graph:
        descriptor = tf.zeros([config.num_types, config.term.descriptor.width], tf.float64)
        energy, _ = config.term.fitting_net.nets(descriptor, one_of_each, None, parameters)
        with session(graph) as run:
            return run.run(energy)


def _with_nets_at_zero(
    config: ModelConfig, arrays: Arrays, relative: list[int]
) -> tuple[ModelConfig, Arrays]:
    """Return a model whose fitting nets give N(D, p) - N(0, p) for the types `relative`.

    With frame or atom parameters p the value at a descriptor of zeros is no constant. A net of
    twice the width holds both: its second half sees the parameters only, and counts negative.
    """
    fitting = config.term.fitting_net
    result = {name: value for name, value in arrays.items() if not name.startswith("type_")}
    for t in range(config.num_types):
        net = f"type_{t}"
        for layer in range(len(fitting.neuron)):
            matrix = arrays[f"{net}/{layer}/matrix"]
            none = np.zeros_like(matrix)
            if layer == 0:
                none[config.term.descriptor.width :] = matrix[config.term.descriptor.width :]
                doubled = np.hstack([matrix, none])
            else:
                doubled = np.block([[matrix, none], [none, matrix]])
            result[f"{net}/{layer}/matrix"] = doubled
            for kind in ("bias", "idt"):
                if (name := f"{net}/{layer}/{kind}") in arrays:
                    result[name] = np.tile(arrays[name], 2)
        matrix, bias = (arrays[f"{net}/last/{kind}"] for kind in ("matrix", "bias"))
        sign = -1.0 if t in relative else 0.0
        result[f"{net}/last/matrix"] = np.vstack([matrix, sign * matrix])
        result[f"{net}/last/bias"] = bias * (1.0 + sign)
    wider = replace(fitting, neuron=tuple(2 * n for n in fitting.neuron))
    return replace(config, term=replace(config.term, fitting_net=wider)), result
