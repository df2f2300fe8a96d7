"""Freezing: a model and its arrays become one file that needs no Python code of the model.

The file is a GraphDef of TensorFlow with two doors: coordinates and cell, or pairs (row, neighbor,
displacement) from an MD engine; TensorFlow skips what is not needed. An engine without TensorFlow
reads the same file (graph_file.py does in NumPy): the constant `deeptf_model` is a JSON object,

    format            2
    deeptf_version    that wrote it
    type_map          names of the types; number 0 is the first
    outputs           names of what the graph gives, see properties.py
    given             {name: {width, types}} of outputs whose width the model says, or that atoms of
                      some types alone have
    rcut              A; pairs up to there matter
    hops, doors, numb_fparam, numb_aparam, masked, pair_bytes, atom_bytes
                      see Needs in model/term/term.py
    spin              {virtual_len, spin_norm} of the first real types, see model/spin.py; the last
                      types are those of their virtual atoms; null without spins
    table_range       {data, table}: distances in A, by centre and neighbour type, where the data of
                      the model and where its tables end, null for excluded pairs; null without any
    model             the section `model` of the input, with all defaults
    training_script   the input, or null
    arrays            names of the constants that are weights and statistics: to train on from them
    constants         {name: {type, shape}} of these and of those that follow from them
    plan              [TermPlan] as in model/stages.py and *_stages.py beside it: what kernels do
                      with which constants; null where a part of the model has none, so that
                      TensorFlow alone can run it

and each constant is a node of the graph with that name. FORMAT 1 had no arrays, constants and plan,
and precision and sel of the only descriptor there was; runnable.py runs such files.
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
from deeptf.config import dump
from deeptf.exchange.model_file import FORMAT, METADATA_NODE, OUTSIDE, read_model
from deeptf.files import replacing
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters, first_not_finite
from deeptf.model.ranges import Curves
from deeptf.model.stages import as_json
from deeptf.model.table import measured_arrays
from deeptf.model.table_arrays import NODES, RANGE
from deeptf.properties import PROPERTIES
from deeptf.tf import tf

OPTIMIZER = "optimizer/"  # first part of the names of arrays that no model has


def write(
    config: ModelConfig,
    arrays: Mapping[str, np.ndarray],
    output: str | Path,
    training_script: dict[str, Any] | None = None,
) -> None:
    """Write the model `config` with the given arrays to the file `output`."""
    graph_def = build(config, arrays, training_script)
    with replacing(output) as stream:
        stream.write(graph_def.SerializeToString(deterministic=True))


def build(
    config: ModelConfig,
    arrays: Mapping[str, np.ndarray],
    training_script: dict[str, Any] | None = None,
) -> tf.GraphDef:
    """Return a graph of constants, with what its outputs need and all constants that have names.

    Raises ValueError where an array is not finite.
    """
    _check_finite(arrays)
    arrays = measured_arrays(config.tables, arrays)
    with tf.Graph().as_default() as graph:
        inputs, parameters = config.inputs(), Parameters(arrays, frozen=True)
        outputs = config.build(inputs, parameters, derivatives=True)
        _check_used(parameters.unused())
        values = dict(outputs.values)
        if outputs.outside is not None:
            values |= zip(OUTSIDE, outputs.outside, strict=True)
        for name, value in values.items():
            tf.identity(value, name)
        metadata = {
            **_description(config, list(outputs.values), parameters, training_script),
            "plan": as_json(config.plan(parameters)),
        }
        constants = [*parameters.used(), *parameters.derived]
        metadata |= {"arrays": parameters.used(), "constants": _shapes(graph, constants)}
        tf.constant(json.dumps(metadata), name=METADATA_NODE)
    wanted = [*values, METADATA_NODE, *constants]
    return tf.graph_util.extract_sub_graph(graph.as_graph_def(), wanted)


def read_arrays(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the description and the arrays of a frozen deeptf model, to train on from it.

    Raises ValueError where the file is not one.
    """
    try:
        model = read_model(path)
        arrays = {name: np.array(value) for name, value in model.arrays.items()}
    except ValueError as error:
        advice = ""
        if zipfile.is_zipfile(path):
            advice = "; weights of a checkpoint are taken with --init-model"
        raise ValueError(
            f"{path} must be a frozen deeptf model, but it is not: {error}{advice}"
        ) from error
    return model.metadata, arrays


def _check_used(unused: Sequence[str]) -> None:
    """Raise ValueError for arrays of a model that this model does not have.

    One without tables has no use for the numbers of their nodes.
    """
    foreign = [name for name in unused if not name.startswith(OPTIMIZER)]
    foreign = [name for name in foreign if name.rpartition("/")[2] not in (NODES, RANGE)]
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


def _description(
    config: ModelConfig,
    outputs: Sequence[str],
    parameters: Parameters,
    training_script: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return what a user of the file has to know."""
    curves = [table.curves for table in config.unmodified.tables(parameters)]
    return {
        "format": FORMAT,
        "deeptf_version": __version__,
        "type_map": list(config.type_map),
        "outputs": list(outputs),
        "given": {
            row.name: {"width": row.width, "types": list(row.types)}
            for row in config.gives()
            if row != PROPERTIES[row.name]
        },
        **asdict(config.needs()),
        "spin": _lengths(config),
        "table_range": _ranges(curves) if curves else None,
        "model": dump(config),
        "training_script": training_script,
    }


def _lengths(config: ModelConfig) -> dict[str, Sequence[float]] | None:
    """Return the lengths of the types with spins, of a model that has some."""
    spin = getattr(config.term, "spin", None)
    if spin is None:
        return None
    return {"virtual_len": spin.virtual_len, "spin_norm": spin.spin_norm}


def _shapes(graph: tf.Graph, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return type and shape of constants."""
    tensors = {name: graph.get_tensor_by_name(f"{name}:0") for name in names}
    return {
        name: {"type": tensor.dtype.name, "shape": tensor.shape.as_list()}
        for name, tensor in tensors.items()
    }


def _ranges(curves: Sequence[Curves]) -> dict[str, list[list[float | None]]]:
    """Return the distances in A where the data of the model and where its tables end.

    They are by centre and neighbour type; null for excluded pairs of types.
    """
    ends = {
        "data": np.fmax.reduce([one.data_end for one in curves]),
        "table": np.fmax.reduce([one.table_end for one in curves]),
    }
    return {
        name: [[None if np.isnan(d) else float(d) for d in row] for row in distance]
        for name, distance in ends.items()
    }
