"""Read a frozen model: a TensorFlow GraphDef that describes itself in the constant `deeptf_model`.

What a file says is in frozen.py. TensorFlow is not needed to read it, only to run the graph
(runnable.py). This module does not read models of other programs (convert.py does).
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from deeptf.exchange.graph_file import Node, read_nodes
from deeptf.exchange.metadata import check_metadata

FORMATS = (2, 1)  # that can be read
FORMAT = FORMATS[0]  # that is written
METADATA_NODE = "deeptf_model"
OUTSIDE = ("outside_count", "outside_distance")  # of models with tables, see model/table.py
ARRAYS_OF_FORMAT_1 = ("descriptor/", "fitting/")  # first parts of their names
NO_ARRAY_OF_FORMAT_1 = "descriptor/table"  # which follows from others
_FOREIGN_PREFIXES = ("descrpt_attr/", "fitting_attr/", "model_attr/", "train_attr/")


@dataclass(frozen=True)
class ModelFile:
    """A frozen model and what it says about itself."""

    path: str
    content: bytes
    nodes: tuple[Node, ...]
    metadata: dict
    digest: str  # of the file

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Weights and statistics by name, used by the graph's outputs or not; read-only."""
        names = self.metadata.get("arrays")
        if names is None:
            names = [n for n in self._constants if n.startswith(ARRAYS_OF_FORMAT_1)]
            names = [n for n in names if n != NO_ARRAY_OF_FORMAT_1]
        return {name: self.constant(name) for name in names}

    def constant(self, name: str) -> np.ndarray:
        """Return a constant, read-only; ValueError where the file does not have it."""
        node = self._constants.get(name)
        if node is None:
            raise ValueError(
                f"`model_file` must hold the constant {name}, got {self.path} without it: it is "
                "damaged; freeze or copy it again"
            )
        return node.array()

    @cached_property
    def _constants(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes if node.op == "Const"}

    @property
    def data_end(self) -> list[list[float | None]] | None:
        """Distances in A, by centre and neighbour type, where the data of the model end.

        None for models that do not count the pairs below.
        """
        return self.metadata["table_range"]["data"] if _counts_outside(self.nodes) else None

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
        found = "a folder" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"`model_file` must be a frozen model, got {path}: {found}")
    return model_of(path.read_bytes(), path)


def is_of_deepmd(path: str | Path) -> bool:
    """Return whether a file is a binary frozen model of deepmd-kit."""
    try:
        nodes = read_nodes(Path(path).read_bytes())
    except ValueError:
        return False
    own = any(node.name == METADATA_NODE for node in nodes)
    return not own and any(node.name.startswith(_FOREIGN_PREFIXES) for node in nodes)


def model_of(content: bytes, path: str | Path) -> ModelFile:
    """Return the model in the content of a file; ValueError when it is none."""
    path = Path(path)
    try:
        nodes = read_nodes(content)
    except ValueError as error:
        raise ValueError(_unreadable(path, content, error)) from None
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    return ModelFile(str(path), content, tuple(nodes), _metadata(path, nodes), digest)


def _unreadable(path: Path, content: bytes, error: ValueError) -> str:
    if content[:4096].lstrip().startswith(b"node"):
        return (
            f"`model_file` must be a binary frozen model, got {path}, a graph as text; "
            f"a deepmd-kit model becomes one by `deeptf convert {path} new.pb`"
        )
    if zipfile.is_zipfile(io.BytesIO(content)):
        return (
            f"`model_file` must be a frozen model, got {path}, a checkpoint or another "
            f"archive; a checkpoint becomes one by `deeptf freeze -c {path} -o model.pb`"
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
    if version not in FORMATS:
        writer = metadata.get("deeptf_version", "(unknown)")
        raise ValueError(
            f"`model_file` must have format {' or '.join(map(str, FORMATS))}, got {path} with "
            f"format {version}, written by deeptf {writer}: use that version of deeptf"
        )
    if version == FORMAT:
        try:
            check_metadata(metadata, nodes, _counts_outside(nodes))
        except ValueError as error:
            raise ValueError(
                f"`model_file` must describe itself in the node {METADATA_NODE}, got {path}, "
                f"where {error}: it is damaged; freeze or copy it again"
            ) from None
    return metadata


def _counts_outside(nodes: Sequence[Node]) -> bool:
    return any(node.name == OUTSIDE[0] for node in nodes)


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
