"""Read a frozen model: a TensorFlow GraphDef that describes itself in the constant `deeptf_model`.

It does not run the graph (deep_pot.py does) nor read models of other programs (convert.py does).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.message import DecodeError

from deeptf.tf import tf

FORMAT = 1
METADATA_NODE = "deeptf_model"
OUTSIDE = ("outside_count", "outside_distance")  # of models with tables, see model/table.py
_FOREIGN_PREFIXES = ("descrpt_attr/", "fitting_attr/", "model_attr/", "train_attr/")


@dataclass(frozen=True)
class ModelFile:
    """A frozen graph and what it says about itself."""

    path: str
    graph_def: tf.GraphDef
    metadata: dict
    digest: str  # of the content

    @property
    def data_end(self) -> list[list[float | None]] | None:
        """Distances in A, by centre and neighbour type, where the data of the model end, for models
        that count the pairs below.
        """
        counts = any(node.name == OUTSIDE[0] for node in self.graph_def.node)
        return self.metadata["table_range"]["data"] if counts else None

    @property
    def tabulated(self) -> bool:
        """Whether the embedding nets are tables."""
        return any(node.op == "EmbeddingSum" for node in self.graph_def.node)


def read_model(model_file: str | Path) -> ModelFile:
    """Read `model_file`.

    Raises FileNotFoundError when it does not exist and ValueError when it is not a model of deeptf.
    """
    path = Path(model_file)
    if not path.is_file():
        raise FileNotFoundError(f"`model_file` must be a frozen model, got {path}: no such file")
    graph_def = tf.GraphDef()
    try:
        content = path.read_bytes()
        graph_def.ParseFromString(content)
    except DecodeError:
        raise ValueError(_unreadable(path)) from None
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return ModelFile(str(path), graph_def, _metadata(path, graph_def), digest)


def import_model(model: ModelFile) -> tf.Graph:
    """Return a new graph that holds the nodes of the model under their own names."""
    graph = tf.Graph()
    with graph.as_default():
        try:
            tf.import_graph_def(model.graph_def, name="")
        except (ValueError, tf.errors.InvalidArgumentError) as error:
            raise ValueError(
                f"`model_file` must hold a whole graph, got {model.path}: {error}; "
                "the file is damaged: freeze or copy it again"
            ) from None
    return graph


def _unreadable(path: Path) -> str:
    head = path.read_bytes()[:4096]
    if head.lstrip().startswith(b"node"):
        return (
            f"`model_file` must be a binary frozen model, got {path}, a graph as text; "
            f"a deepmd-kit model becomes one by `deeptf convert {path} new.pb`"
        )
    return (
        f"`model_file` must be a TensorFlow GraphDef, got {path}, which cannot be read as one: "
        "it is truncated or of another format; freeze or copy it again"
    )


def _metadata(path: Path, graph_def: tf.GraphDef) -> dict:
    nodes = [node for node in graph_def.node if node.name == METADATA_NODE]
    if not nodes:
        raise ValueError(_foreign(path, graph_def))
    try:
        metadata = json.loads(nodes[0].attr["value"].tensor.string_val[0])
        found = metadata["format"]
    except (IndexError, KeyError, TypeError, ValueError):
        raise ValueError(
            f"`model_file` must describe itself in the node {METADATA_NODE}, got {path}, "
            "where that node is damaged; freeze or copy it again"
        ) from None
    if found != FORMAT:
        raise ValueError(
            f"`model_file` must have format {FORMAT}, got {path} with format {found}, written by "
            f"deeptf {metadata.get('deeptf_version', '(unknown)')}: use that version of deeptf"
        )
    return metadata


def _foreign(path: Path, graph_def: tf.GraphDef) -> str:
    if not graph_def.node:
        return f"`model_file` must be a frozen model, got {path}, which holds no graph: it is empty"
    if any(node.name.startswith(_FOREIGN_PREFIXES) for node in graph_def.node):
        return (
            f"`model_file` must be a model of deeptf, got {path}, a model of deepmd-kit; "
            f"convert it: `deeptf convert {path} new.pb`"
        )
    return (
        f"`model_file` must be a model of deeptf, got {path}, a graph without the node "
        f"{METADATA_NODE}: it is truncated or was written by another program"
    )
