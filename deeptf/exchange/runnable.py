"""Model files for TensorFlow: their graphs, and those of FORMAT 1 made anew.

A file of FORMAT 1 has settings and arrays under the names of today, and a graph of ops that have
changed since then. Its graph is built again as for a new file. Only tables stay as they are: in the
first files nobody kept the ranges that their numbers of nodes belong to.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from google.protobuf.message import DecodeError

from deeptf.config import load
from deeptf.exchange import frozen
from deeptf.exchange.model_file import FORMAT, ModelFile, model_of
from deeptf.model.model import ModelConfig
from deeptf.model.table_arrays import TABLE, TABLE_GRID, TABLE_ROW
from deeptf.tf import session, tf

SUM_OP, SUM_INPUTS = "EmbeddingSum", slice(1, 4)  # of FORMAT 1: nodes, node_row, grid


def runnable(model: ModelFile) -> ModelFile:
    """Return the model with a graph of the ops of today; ValueError where it cannot be made."""
    if model.metadata["format"] == FORMAT:
        return model
    try:
        config = load(ModelConfig, model.metadata["model"], "model")
        arrays = model.arrays | _table_of_format_1(model)
        graph_def = frozen.build(config, arrays, model.metadata["training_script"])
    except (KeyError, ValueError, tf.errors.OpError) as error:
        raise ValueError(_not_whole(model, error)) from error
    return replace(model_of(graph_def.SerializeToString(), model.path), digest=model.digest)


def graph_def_of(model: ModelFile) -> tf.GraphDef:
    """Return the graph in the file of a model."""
    try:
        return tf.GraphDef.FromString(model.content)
    except DecodeError as error:
        raise ValueError(_not_whole(model, error)) from None


def import_model(model: ModelFile) -> tf.Graph:
    """Return a new graph that holds the nodes of the model under their own names."""
    graph, graph_def = tf.Graph(), graph_def_of(model)
    with graph.as_default():
        try:
            tf.import_graph_def(graph_def, name="")
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            raise ValueError(_not_whole(model, error)) from None
    return graph


def _table_of_format_1(model: ModelFile) -> dict[str, np.ndarray]:
    """Return the table of a model that has one, by the names of today's constants.

    Its places are not constants in such a graph, but made by ops of TensorFlow alone.
    """
    sums = [node for node in model.nodes if node.op == SUM_OP]
    if not sums:
        return {}
    wanted = list(sums[0].inputs[SUM_INPUTS])
    try:
        part = tf.graph_util.extract_sub_graph(graph_def_of(model), wanted)
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(part, name="")
        with session(graph) as run:
            values = run.run([f"{name}:0" for name in wanted])
    except (AssertionError, tf.errors.OpError) as error:
        raise ValueError(f"its table cannot be read: {error}") from error
    names = (f"descriptor/{name}" for name in (TABLE, TABLE_ROW, TABLE_GRID))
    return dict(zip(names, values, strict=True))


def _not_whole(model: ModelFile, error: Exception) -> str:
    return (
        f"`model_file` must hold a whole graph, got {model.path}: {error}; "
        "the file is damaged: freeze or copy it again"
    )
