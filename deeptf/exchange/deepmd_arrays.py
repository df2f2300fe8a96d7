"""Arrays of a deeptf model from the graph of a deepmd-kit model.

Weights are looked up by the names that the settings imply: a missing one is an error, and one that
nobody asked for is found by `DeepmdGraph.check_all_read`.

`atom_ener` shows as a second evaluation of a fitting net, at a descriptor of zeros, that is
subtracted. It becomes a part of the energy bias, or of a wider net.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from deeptf.exchange.deepmd_graph import DeepmdGraph, constant
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.ranges import SHORTEST
from deeptf.tf import session, tf

Arrays = dict[str, np.ndarray]


def read_arrays(graph: DeepmdGraph, config: ModelConfig) -> tuple[ModelConfig, Arrays]:
    """Return the arrays of a model with these settings by their names in deeptf, and the settings.

    The settings change where `atom_ener` needs wider fitting nets.
    """
    arrays = _statistics(graph, config) | _shortest(graph, config.num_types)
    arrays |= _embedding_nets(graph, config) | _fitting_nets(graph, config)
    arrays["fitting/energy_bias"] = _energy_bias(graph, config.num_types)
    types = range(config.num_types)
    relative = [t for t in types if f"final_layer_type_{t}_1/MatMul" in graph]
    if relative and (config.term.fitting_net.numb_fparam or config.term.fitting_net.numb_aparam):
        return _with_nets_at_zero(config, arrays, relative)
    if relative:
        arrays["fitting/energy_bias"][relative] -= _energy_at_zero(config, arrays)[relative]
    return config, arrays


def _statistics(graph: DeepmdGraph, config: ModelConfig) -> Arrays:
    """Return mean and standard deviation of environment rows and parameters."""
    descriptor, num_types = config.term.descriptor, config.num_types
    places, columns = sum(descriptor.sel), descriptor.columns
    arrays = {}
    for source, target in (("t_avg", "mean"), ("t_std", "stddev")):
        name = f"descrpt_attr/{source}"
        rows = graph.array(name, (num_types, columns * places))
        rows = rows.reshape(num_types, places, columns)
        if np.any(rows != rows[:, :1]):
            raise ValueError(f"`{name}` must be the same for every neighbour, but is not")
        arrays[f"descriptor/{target}"] = rows[:, 0].astype(np.float64)
    _check_positive("descrpt_attr/t_std", arrays["descriptor/stddev"])
    sizes = {
        "fparam": config.term.fitting_net.numb_fparam,
        "aparam": config.term.fitting_net.numb_aparam,
    }
    for kind, size in sizes.items():
        if size:
            mean = graph.array(f"fitting_attr/t_{kind}_avg", (size,))
            inverse = graph.array(f"fitting_attr/t_{kind}_istd", (size,))
            _check_positive(f"fitting_attr/t_{kind}_istd", inverse)
            arrays[f"fitting/{kind}_mean"] = mean.astype(np.float64)
            arrays[f"fitting/{kind}_stddev"] = 1.0 / inverse.astype(np.float64)
    return arrays


def _shortest(graph: DeepmdGraph, num_types: int) -> Arrays:
    """Return how near atoms of any types come in the data, if the file says a distance."""
    name = "train_attr/min_nbor_dist"
    distance = constant(graph.nodes[name]) if name in graph else np.array(np.nan)
    if distance.dtype.kind != "f" or distance.shape != () or not 0 < distance < np.inf:
        return {}
    return {f"descriptor/{SHORTEST}": np.full((num_types, num_types), distance)}


def _check_positive(name: str, value: np.ndarray) -> None:
    if not np.all(value > 0):
        raise ValueError(f"`{name}` must be positive, got {np.min(value)}")


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


def _embedding_nets(graph: DeepmdGraph, config: ModelConfig) -> Arrays:
    descriptor = config.term.descriptor
    types = range(config.num_types)
    arrays = {}
    for centre, neighbor in itertools.product(
        ("all",) if descriptor.type_one_side else types, types
    ):
        if (centre, neighbor) in descriptor.exclude_types:
            continue
        if (neighbor, centre) in descriptor.exclude_types:
            continue
        for layer, (n_in, n_out) in enumerate(itertools.pairwise((1, *descriptor.neuron))):
            source = f"filter_type_{centre}/{{}}_{layer + 1}_{neighbor}"
            target = f"descriptor/embedding_{centre}_{neighbor}/{layer}"
            time_step = descriptor.resnet_dt and n_out in (n_in, 2 * n_in)
            arrays |= _layer(graph, source, target, (n_in, n_out), time_step)
    return arrays


def _fitting_nets(graph: DeepmdGraph, config: ModelConfig) -> Arrays:
    fitting = config.term.fitting_net
    widths = _inputs(config), *fitting.neuron
    arrays = {}
    for t in range(config.num_types):
        for layer, (n_in, n_out) in enumerate(itertools.pairwise(widths)):
            source, target = f"layer_{layer}_type_{t}/{{}}", f"fitting/type_{t}/{layer}"
            time_step = fitting.resnet_dt and layer > 0 and n_in == n_out
            arrays |= _layer(graph, source, target, (n_in, n_out), time_step)
        source, target = f"final_layer_type_{t}/{{}}", f"fitting/type_{t}/last"
        arrays |= _layer(graph, source, target, (widths[-1], 1), False)
    return arrays


def _inputs(config: ModelConfig) -> int:
    """Return how many numbers a fitting net takes."""
    fitting = config.term.fitting_net
    return config.term.descriptor.width + fitting.numb_fparam + fitting.numb_aparam


def _layer(
    graph: DeepmdGraph, source: str, target: str, shape: tuple[int, int], time_step: bool
) -> Arrays:
    """Return the arrays of a layer; those in the graph are named source.format(kind)."""
    arrays = {
        f"{target}/matrix": graph.array(source.format("matrix"), shape),
        f"{target}/bias": graph.array(source.format("bias"), shape[1:]),
    }
    if time_step:
        arrays[f"{target}/idt"] = graph.array(source.format("idt"), shape[1:])
    return arrays


def _energy_at_zero(config: ModelConfig, arrays: Arrays) -> np.ndarray:
    """Return the value of each type's fitting net at a descriptor of zeros, [T] in eV."""
    one_of_each = np.ones(config.num_types, np.int32)
    parameters = Parameters(arrays, frozen=True)
    with tf.Graph().as_default() as graph:
        descriptor = tf.zeros([config.num_types, config.term.descriptor.width], tf.float64)
        nets = config.term.fitting_net.nets
        energy, _ = nets(descriptor, one_of_each, None, parameters.scope("fitting"))
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
    result = {name: value for name, value in arrays.items() if "/type_" not in name}
    for t in range(config.num_types):
        net = f"fitting/type_{t}"
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
