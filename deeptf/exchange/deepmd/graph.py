"""The graph in a frozen model of deepmd-kit: nodes, constants, and a look for unknown parts.

`DeepmdGraph` keeps a list of the constants that were read. `check_features` and `check_parts`
refuse nodes that no white list has (names.py), `check_all_read` constants with a shape that nobody
has read. What the arrays mean is known to the kinds and fitting.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from google.protobuf import text_format
from google.protobuf.message import DecodeError

from deeptf.exchange.deepmd import names
from deeptf.exchange.deepmd.nodes import (
    FLOATS,
    constant,
    has_meaning,
    inputs_of,
    needed_by,
    unknown_parts,
)
from deeptf.exchange.model_file import METADATA_NODE
from deeptf.tf import tf

SHOWN = 5  # foreign parts that a message names
OTHERS = (".pth", ".dp", ".yaml", ".savedmodel")  # models of other backends of deepmd-kit


class Known(Protocol):
    """What a kind of descriptor adds to the white lists; see kind.py."""

    ops: frozenset[str]
    features: frozenset[str]

    @property
    def geometry(self) -> tuple[str, ...]:
        """The ops that TensorFlow does not know."""


def read_graph(path: str | Path) -> tf.GraphDef:
    """Return the GraphDef in a .pb file, or in a .pbtxt file (text)."""
    path = Path(path)
    content = path.read_bytes()
    graph = tf.GraphDef()
    try:
        if path.suffix == ".pbtxt" or content.lstrip()[:4] == b"node":
            text_format.Parse(content, graph)
        else:
            graph.ParseFromString(content)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        other = path.suffix in OTHERS
        raise ValueError(
            f"it must be a frozen model (GraphDef), but reading it failed: {error}"
            f"{f'; `dp convert-backend {path} {path.stem}.pb` makes one of it' if other else ''}"
        ) from error
    if not graph.node:
        raise ValueError("it must be a frozen model (GraphDef), but it holds no node")
    return graph


class DeepmdGraph:
    """The nodes of a graph by name, and its constants.

    kind : what it is a model of; of one of other properties than energies, or with spins, all that
        its values and the descriptor do not need is left out, such as derivatives.

    Raises ValueError where it is no model of deepmd-kit, or where nodes are missing.
    """

    def __init__(self, graph_def: tf.GraphDef) -> None:
        self.graph_def = graph_def
        self.nodes = {node.name: node for node in graph_def.node}
        self._read: set[str] = set()
        self._check_origin()
        self._check_whole()
        self.kind = self.text("model_attr/model_type")
        if self.kind not in names.NEEDED_OUTPUTS:
            known = ", ".join(names.NEEDED_OUTPUTS)
            raise ValueError(f"it must be a model of {known}, got a model of `{self.kind}`")
        self.needed = names.NEEDED_OUTPUTS[self.kind]
        if names.SPIN_TYPES in self:  # forces are of atoms and of spins: the definition says how
            self.needed = names.ENERGY, names.ATOM_ENERGY
        if self.kind != "ener" or names.SPIN_TYPES in self:
            self._leave_out_derivatives()

    def __contains__(self, name: str) -> bool:
        return name in self.nodes

    def array(self, name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """Return a constant, with `shape` where given (dimensions of length 1 do not matter)."""
        node = self.nodes.get(name)
        if node is None or node.op != "Const":
            raise ValueError(f"it must hold the constant `{name}`, but does not")
        self._read.add(name)
        value = constant(node)
        if shape is None:
            return value
        if [n for n in value.shape if n != 1] != [n for n in shape if n != 1]:
            raise ValueError(f"`{name}` must have shape {shape}, got {value.shape}")
        if not np.all(np.isfinite(value)):
            raise ValueError(f"`{name}` must hold finite numbers, but does not")
        return value.reshape(shape)

    def number(self, name: str, default: float | None = None) -> float:
        """Return a constant that is one number, or `default` where there is none."""
        if name not in self and default is not None:
            return default
        return self.array(name, ()).item()

    def text(self, name: str, default: str | None = None) -> str:
        """Return a constant that is one string, or `default` where there is none."""
        if name not in self and default is not None:
            return default
        value = self.array(name)
        if value.shape != () or not isinstance(value.item(), bytes):
            raise ValueError(f"`{name}` must be one string, got {value!r}")
        try:
            return value.item().decode()
        except UnicodeDecodeError as error:
            raise ValueError(f"`{name}` must be UTF-8 text, got: {error}") from error

    def constants_of_shape(self, shape: tuple[int, ...]) -> list[str]:
        """Return the names of the float constants of a shape that are in no scope."""
        return [
            node.name
            for node in self.graph_def.node
            if node.op == "Const"
            and "/" not in node.name
            and node.attr["dtype"].type in FLOATS
            and tuple(dim.size for dim in node.attr["value"].tensor.tensor_shape.dim) == shape
        ]

    def only(self, ops: tuple[str, ...], inputs: Collection[str] = ()) -> tf.NodeDef:
        """Return the one node of these ops, with `inputs` the one that has any of these inputs."""
        found = [node for node in self.graph_def.node if node.op in ops]
        if inputs:
            found = [node for node in found if set(inputs) & set(node.input)]
        if len(found) != 1:
            which = f" behind {' or '.join(sorted(inputs))}" if inputs else ""
            raise ValueError(
                f"it must hold one op {' or '.join(ops)}{which}, got {len(found)} of them"
            )
        return found[0]

    def check_features(self, kinds: Sequence[Known]) -> None:
        """Raise ValueError that names the features that models of these kinds do not have.

        kinds : descriptors of the model.
        """
        known = {feature for kind in kinds for feature in kind.features}
        known.update(names.OF_MODEL.get(self.kind, ()))
        features: dict[str, str] = {}
        for node in self.graph_def.node:
            for feature, place in names.signs(node.op, node.name):
                if feature not in known:
                    features.setdefault(feature, place)
        self._refuse(f"{feature} ({place})" for feature, place in features.items())

    def check_parts(self, kinds: Sequence[Known]) -> None:
        """Raise ValueError that names parts that models of these kinds do not have."""
        known = names.STANDARD_OPS.union(names.GELU_OPS, names.GELU_GRAD_OPS)
        known |= names.TENSOR_OPS if self.kind != "ener" else frozenset(names.SHORT_RANGE_OPS)
        for kind in kinds:
            known |= kind.ops.union(kind.geometry)
        self._refuse(part for node in self.graph_def.node for part in unknown_parts(node, known))
        functions = self.graph_def.library.function
        self._refuse(f"function `{function.signature.name}`" for function in functions)
        for name in self.needed:
            if name not in self:
                raise ValueError(f"it must have the output `{name}`, but does not")
        self._refuse(
            f"`{node.name}` (op {node.op}), which no output needs"
            for node in self._unreached()
            if names.plain(node.name) not in names.ATTRIBUTES
        )

    def check_all_read(self) -> None:
        """Raise ValueError that names constants of the model that nobody has read.

        These are arrays of numbers, and anything that describes the model.
        """
        self._refuse(
            f"the constant `{node.name}`, which the conversion does not know"
            for node in self.graph_def.node
            if node.op == "Const" and node.name not in self._read and has_meaning(node)
        )

    def _refuse(self, parts: Iterable[str]) -> None:
        parts = list(dict.fromkeys(parts))
        if parts:
            more = f" and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
            raise ValueError(
                "it must be a model of a kind that deeptf has, got "
                f"{', '.join(parts[:SHOWN])}{more}"
            )

    def _check_origin(self) -> None:
        if METADATA_NODE in self:
            raise ValueError("it is a deeptf model already: use it as it is")
        if "model_attr/model_type" not in self:
            raise ValueError(
                "it must be a model frozen by deepmd-kit, but it has no `model_attr/model_type`"
            )

    def _check_whole(self) -> None:
        if len(self.nodes) < len(self.graph_def.node):
            raise ValueError("it must not hold two nodes of one name: the file is damaged")
        for node in self.graph_def.node:
            for name in inputs_of(node):
                if name not in self:
                    raise ValueError(
                        f"it must hold the node `{name}` that `{node.name}` needs, but does not: "
                        "the file is damaged"
                    )

    def _leave_out_derivatives(self) -> None:
        """Keep what the values of the model and its descriptor need, and what describes it."""
        values = *self.needed, *names.SUMS, names.DESCRIPTOR
        wanted = set(values) & self.nodes.keys()
        left_out = {n.name for n in self._unreached(wanted) if not names.describes(n.name)}
        kept = tf.GraphDef(versions=self.graph_def.versions, library=self.graph_def.library)
        kept.node.extend(node for node in self.graph_def.node if node.name not in left_out)
        self.graph_def = kept
        self.nodes = {node.name: node for node in kept.node}

    def _unreached(self, wanted: Collection[str] = ()) -> list[tf.NodeDef]:
        """Return the nodes that no output, or none of the wanted nodes, needs."""
        outputs = [name for name in self.nodes if names.plain(name) in names.OUTPUTS]
        reached = needed_by(self.nodes, wanted or outputs)
        return [node for node in self.graph_def.node if node.name not in reached]
