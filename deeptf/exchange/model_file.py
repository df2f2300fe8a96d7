"""Read a frozen model: a TensorFlow GraphDef that describes itself in the constant `deeptf_model`.

TensorFlow is loaded when the graph is to run, and not before. This module does not read models of
other programs (convert.py does).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deeptf.exchange.graph_file import Node, read_nodes

if TYPE_CHECKING:
    from deeptf.tf import tf

FORMAT = 1
METADATA_NODE = "deeptf_model"
OUTSIDE = ("outside_count", "outside_distance")  # of models with tables, see model/table.py
ARRAYS = ("descriptor/", "fitting/")  # first parts of the names of a model's arrays
_FOREIGN_PREFIXES = ("descrpt_attr/", "fitting_attr/", "model_attr/", "train_attr/")


@dataclass(frozen=True)
class ModelFile:
    """A frozen model and what it says about itself."""

    path: str
    content: bytes
    nodes: tuple[Node, ...]
    metadata: dict

    @property
    def digest(self) -> str:
        """A number that tells the content from any other."""
        return hashlib.blake2b(self.content, digest_size=16).hexdigest()

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays of the model by name, used by its outputs or not; read-only."""
        nodes = [n for n in self.nodes if n.op == "Const" and n.name.startswith(ARRAYS)]
        return {node.name: node.array() for node in nodes}

    @property
    def data_end(self) -> list[list[float | None]] | None:
        """Distances in A, by centre and neighbour type, where the data of the model end, for models
        that count the pairs below.
        """
        counts = any(node.name == OUTSIDE[0] for node in self.nodes)
        return self.metadata["table_range"]["data"] if counts else None

    @property
    def tabulated(self) -> bool:
        """Whether the embedding nets are tables."""
        return any(node.op == "EmbeddingSum" for node in self.nodes)


def read_model(model_file: str | Path) -> ModelFile:
    """Read `model_file`.

    Raises FileNotFoundError when it does not exist and ValueError when it is not a model of deeptf.
    """
    path = Path(model_file)
    if not path.is_file():
        raise FileNotFoundError(f"`model_file` must be a frozen model, got {path}: no such file")
    content = path.read_bytes()
    try:
        nodes = read_nodes(content)
    except ValueError as error:
        raise ValueError(_unreadable(path, content, error)) from None
    return ModelFile(str(path), content, tuple(nodes), _metadata(path, nodes))


def graph_def_of(model: ModelFile) -> tf.GraphDef:
    """Return the graph of a model for TensorFlow."""
    from google.protobuf.message import DecodeError

    from deeptf.tf import tf

    try:
        return tf.GraphDef.FromString(model.content)
    except DecodeError as error:
        raise ValueError(_not_whole(model, error)) from None


def import_model(model: ModelFile) -> tf.Graph:
    """Return a new graph that holds the nodes of the model under their own names."""
    from deeptf.tf import tf

    graph, graph_def = tf.Graph(), graph_def_of(model)
    with graph.as_default():
        try:
            tf.import_graph_def(graph_def, name="")
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            raise ValueError(_not_whole(model, error)) from None
    return graph


def _not_whole(model: ModelFile, error: Exception) -> str:
    return (
        f"`model_file` must hold a whole graph, got {model.path}: {error}; "
        "the file is damaged: freeze or copy it again"
    )


def _unreadable(path: Path, content: bytes, error: ValueError) -> str:
    if content[:4096].lstrip().startswith(b"node"):
        return (
            f"`model_file` must be a binary frozen model, got {path}, a graph as text; "
            f"a deepmd-kit model becomes one by `deeptf convert {path} new.pb`"
        )
    return (
        f"`model_file` must be a TensorFlow GraphDef, got {path}, which cannot be read as one: "
        f"it is truncated or of another format ({error}); freeze or copy it again"
    )


def _metadata(path: Path, nodes: Sequence[Node]) -> dict:
    found = [node for node in nodes if node.name == METADATA_NODE]
    if not found:
        raise ValueError(_foreign(path, nodes))
    try:
        metadata = json.loads(found[0].array().item())
        version = metadata["format"]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ValueError(
            f"`model_file` must describe itself in the node {METADATA_NODE}, got {path}, "
            "where that node is damaged; freeze or copy it again"
        ) from None
    if version != FORMAT:
        raise ValueError(
            f"`model_file` must have format {FORMAT}, got {path} with format {version}, written by "
            f"deeptf {metadata.get('deeptf_version', '(unknown)')}: use that version of deeptf"
        )
    return metadata


def _foreign(path: Path, nodes: Sequence[Node]) -> str:
    if not nodes:
        return f"`model_file` must be a frozen model, got {path}, which holds no graph: it is empty"
    if any(node.name.startswith(_FOREIGN_PREFIXES) for node in nodes):
        return (
            f"`model_file` must be a model of deeptf, got {path}, a model of deepmd-kit; "
            f"convert it: `deeptf convert {path} new.pb`"
        )
    return (
        f"`model_file` must be a model of deeptf, got {path}, a graph without the node "
        f"{METADATA_NODE}: it is truncated or was written by another program"
    )
