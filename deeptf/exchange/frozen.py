"""Freezing: a model and its arrays become one GraphDef file that needs no Python code of the model.

The graph has two doors: coordinates and cell, or pairs (row, neighbor, displacement) from an MD
engine; TensorFlow skips what is not needed. The constant `deeptf_model` holds the description of
the model as JSON.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from deeptf import __version__
from deeptf.exchange.model_file import FORMAT, METADATA_NODE, OUTSIDE, read_model
from deeptf.files import replacing
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters, first_not_finite
from deeptf.model.ranges import Curves
from deeptf.model.table import NODES, RANGE, TABLE, measured_arrays
from deeptf.ops.force import atom_virial
from deeptf.tf import tf

OUTPUTS = ("energy", "atom_energy", "force", "virial", "descriptor")  # fields of model.Outputs
ARRAYS = ("descriptor/", "fitting/")  # first parts of the names of a model's arrays


def write(
    config: ModelConfig,
    arrays: Mapping[str, np.ndarray],
    output: str | Path,
    training_script: dict[str, Any] | None = None,
) -> None:
    """Write the model `config` with the given arrays to the file `output`."""
    graph_def = build(config, arrays, training_script)
    with replacing(output) as stream:
        stream.write(graph_def.SerializeToString())


def build(
    config: ModelConfig,
    arrays: Mapping[str, np.ndarray],
    training_script: dict[str, Any] | None = None,
) -> tf.GraphDef:
    """Return a graph of constants, with what its outputs need and the arrays of the model.

    Raises ValueError where an array is not finite.
    """
    _check_finite(arrays)
    arrays = measured_arrays(config.table, arrays)
    with tf.Graph().as_default() as graph:
        inputs, parameters = config.inputs(), Parameters(arrays, frozen=True)
        outputs = config.build(inputs, parameters)
        _check_used(parameters.unused())
        virials = atom_virial(outputs.pair_gradient, outputs.pairs)
        for name in OUTPUTS:
            tf.identity(getattr(outputs, name), name)
        tf.identity(virials, "atom_virial")
        if outputs.outside is not None:
            for name, value in zip(OUTSIDE, outputs.outside, strict=True):
                tf.identity(value, name)
        description = _description(config, config.curves(parameters), training_script)
        tf.constant(json.dumps(description), name=METADATA_NODE)
    whole = graph.as_graph_def()
    wanted = [*OUTPUTS, "atom_virial", METADATA_NODE, *(node.name for node in _arrays(whole))]
    wanted += OUTSIDE if outputs.outside is not None else ()
    return tf.graph_util.extract_sub_graph(whole, wanted)


def read_arrays(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the description and the arrays of a frozen deeptf model, to train on from it.

    Raises ValueError where the file is not one.
    """
    try:
        model = read_model(path)
    except ValueError as error:
        advice = ""
        if zipfile.is_zipfile(path):
            advice = "; weights of a checkpoint are taken with --init-model"
        raise ValueError(
            f"{path} must be a frozen deeptf model, but it is not: {error}{advice}"
        ) from error
    arrays = {n.name: tf.make_ndarray(n.attr["value"].tensor) for n in _arrays(model.graph_def)}
    return model.metadata, {k: v for k, v in arrays.items() if k != TABLE}


def _check_used(unused: Sequence[str]) -> None:
    """Raise ValueError for arrays of a model that this model does not have; one without tables has
    no use for the numbers of their nodes.
    """
    foreign = [name for name in unused if name.startswith(ARRAYS) and name not in (NODES, RANGE)]
    if foreign:
        raise ValueError(
            f"`arrays` must be those of the model, but it has no use for {', '.join(foreign[:5])}"
        )


def _check_finite(arrays: Mapping[str, np.ndarray]) -> None:
    name = first_not_finite(arrays)
    if name is not None:
        raise ValueError(
            f"`{name}` must be finite, but is not: the weights of the model have diverged; freeze "
            "an older checkpoint"
        )


def _arrays(graph_def: tf.GraphDef) -> list[tf.NodeDef]:
    """Return the nodes of the model's named arrays, used by its outputs or not: those of an
    embedding table are in the file for training only.
    """
    return [n for n in graph_def.node if n.op == "Const" and n.name.startswith(ARRAYS)]


def _description(
    config: ModelConfig, curves: Curves | None, training_script: dict[str, Any] | None
) -> dict[str, Any]:
    """Return what a user of the file has to know."""
    return {
        "format": FORMAT,
        "deeptf_version": __version__,
        "type_map": list(config.type_map),
        "rcut": config.descriptor.rcut,
        "sel": list(config.descriptor.sel),
        "numb_fparam": config.fitting_net.numb_fparam,
        "numb_aparam": config.fitting_net.numb_aparam,
        "precision": config.descriptor.precision,
        "table_range": None if curves is None else _ranges(curves),
        "model": {
            "type_map": list(config.type_map),
            "descriptor": {"type": config.descriptor.type, **asdict(config.descriptor)},
            "fitting_net": {"type": config.fitting_net.type, **asdict(config.fitting_net)},
        },
        "training_script": training_script,
    }


def _ranges(curves: Curves) -> dict[str, list[list[float | None]]]:
    """Return the distances in A, by centre and neighbour type, where the data of the model and
    where its tables end; null for excluded pairs of types.
    """
    ends = {"data": curves.data_end, "table": curves.table_end}
    return {
        name: [[None if np.isnan(d) else float(d) for d in row] for row in distance]
        for name, distance in ends.items()
    }
