"""Freezing: a model and its arrays become one GraphDef file that needs no Python code of the model.

The graph has two doors: coordinates and cell, or pairs (row, neighbor, displacement) from an MD
engine; TensorFlow skips what is not needed. The constant `deeptf_model` holds the description of
the model as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from deeptf import __version__, ops
from deeptf.files import replacing
from deeptf.infer.model_file import FORMAT, METADATA_NODE, read_model
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.tf import tf
from deeptf.train import checkpoint
from deeptf.train.options import load_input


def freeze(location: str | Path, output: str | Path) -> Path:
    """Write the newest checkpoint at `location` (folder, prefix or file) as a frozen model, with
    averaged weights where the checkpoint has them.

    Raises FileNotFoundError without a checkpoint and ValueError for a damaged one; returns the
    checkpoint's path.
    """
    state = checkpoint.load(location)
    config = load_input(state.meta["input"])[0].model
    write(config, state.model_arrays(), output, training_script=state.meta["input"])
    return state.path


def write(
    config: ModelConfig,
    arrays: Mapping[str, np.ndarray],
    output: str | Path,
    training_script: dict[str, Any] | None = None,
) -> None:
    """Write the model `config` with the given arrays to the file `output`."""
    graph = build(config, arrays, training_script)
    with replacing(output) as stream:
        stream.write(graph.as_graph_def().SerializeToString())


def build(
    config: ModelConfig,
    arrays: Mapping[str, np.ndarray],
    training_script: dict[str, Any] | None = None,
) -> tf.Graph:
    """Return a graph of constants with the placeholders and outputs that the module names."""
    graph = tf.Graph()
    with graph.as_default():
        inputs = config.inputs()
        outputs = config.build(inputs, Parameters(arrays, frozen=True))
        atom_virial = ops.atom_virial(
            outputs.pair_gradient,
            outputs.pairs.displacement,
            outputs.pairs.neighbor,
            inputs.atom_type,
        )
        for name in ("energy", "atom_energy", "force", "virial", "descriptor"):
            tf.identity(getattr(outputs, name), name)
        tf.identity(atom_virial, "atom_virial")
        tf.constant(json.dumps(_description(config, training_script)), name=METADATA_NODE)
    return graph


def read_arrays(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the description and the arrays of a frozen deeptf model, to train on from it.

    Raises ValueError where the file is not one.
    """
    try:
        model = read_model(path)
    except ValueError as error:
        raise ValueError(f"{path} must be a frozen deeptf model, but it is not: {error}") from error
    arrays = {
        node.name: tf.make_ndarray(node.attr["value"].tensor)
        for node in model.graph_def.node
        if node.op == "Const" and node.name.startswith(("descriptor/", "fitting/"))
    }
    return model.metadata, arrays


def _description(config: ModelConfig, training_script: dict[str, Any] | None) -> dict[str, Any]:
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
        "model": {
            "type_map": list(config.type_map),
            "descriptor": {"type": config.descriptor.type, **asdict(config.descriptor)},
            "fitting_net": {"type": config.fitting_net.type, **asdict(config.fitting_net)},
        },
        "training_script": training_script,
    }
