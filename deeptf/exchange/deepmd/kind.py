"""What a descriptor shows in the graph of a deepmd-kit model, and what becomes of it.

A descriptor that can be imported is a class in a file of its own, listed in kinds/__init__.py. The
rest of the import, and the comparison that decides, read its objects and name none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from deeptf.config import convert, describe
from deeptf.exchange.deepmd.geometry import Frame
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.names import FORCE
from deeptf.tf import tf

Arrays = dict[str, np.ndarray]
SECTION = "model/descriptor"  # of the training input
FLOAT, INT, BOOL = (t.as_datatype_enum for t in (tf.float64, tf.int32, tf.bool))


class Evaluated(Protocol):
    """What an environment op gives for a frame, and what its ops of force and virial make of it."""

    def outputs(self) -> list[np.ndarray]:
        """Return the outputs in the order of the op."""

    def of_force(self) -> Sequence[np.ndarray]:
        """Return what the op of the force must be given of them, between gradient and t_natoms."""

    def of_virial(self) -> Sequence[np.ndarray]:
        """Return what the op of the virial must be given of them."""

    def force(self, gradient: np.ndarray, num_atoms: int) -> np.ndarray:
        """Return F [num_atoms, 3] from the gradient of the energy in the first output."""

    def atom_virial(self, gradient: np.ndarray, num_atoms: int) -> np.ndarray:
        """Return the part of the virial of each atom, [num_atoms, 9]."""


class Kind:
    """A descriptor of deepmd-kit.

    types : its names in training inputs
    environment, force, virial : names of its ops of geometry, in all versions; there may be none
        of the virial
    outputs : types of the outputs of the environment op
    given : inputs of the model that the environment op must get as they are, its first inputs
    ops : of TensorFlow, beyond those that models of all kinds have
    features : of names.SIGNS that belong to it
    marks : names of nodes of which any, beside its ops of geometry, shows it without a training
        input where ops are those of other kinds too
    from_graph : whether the graph shows all of it, so that the training input may be missing
    of_parts : whether it is made of others, which have the ops of geometry
    """

    types: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    force: tuple[str, ...] = ()
    virial: tuple[str, ...] = ()
    outputs: tuple[int, ...] = (FLOAT, FLOAT, FLOAT, INT)
    given: tuple[str, ...] = ("t_coord", "t_type", "t_natoms", "t_box")
    ops: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    from_graph: bool = False
    of_parts: bool = False

    @property
    def geometry(self) -> tuple[str, ...]:
        """The ops that TensorFlow does not know."""
        return self.environment + self.force + self.virial

    def settings(self, part: Part) -> Any:
        """Return the settings of deeptf; ValueError where the graph contradicts itself."""
        raise NotImplementedError

    def arrays(self, part: Part, own: Any) -> Arrays:
        """Return the arrays of a descriptor with these settings by their names below its scope."""
        raise NotImplementedError

    def places(self, part: Part, own: Any) -> np.ndarray:
        """Return the least and the largest number of neighbours of each type, [2, T]."""
        raise NotImplementedError

    def defined(self, part: Part, frame: Frame) -> np.ndarray:
        """Return whether the centres of a frame have a descriptor, [N]."""
        return np.ones(frame.num_centres, bool)

    def evaluated(self, part: Part, frame: Frame, given: Sequence[np.ndarray]) -> Evaluated:
        """Return what the environment op gives; `given` are its inputs beyond those of `given`."""
        raise NotImplementedError


@dataclass(frozen=True)
class Part:
    """A descriptor in a graph.

    suffix : of its scopes, "_0" for the first part of a hybrid one
    section : of it in the training input, empty where there is none
    width : of the descriptor as the fitting nets take it; None for a part of it
    parts : those that it is made of
    """

    graph: DeepmdGraph
    kind: Kind
    num_types: int
    suffix: str = ""
    section: Mapping[str, Any] = field(default_factory=dict)
    width: int | None = None
    parts: tuple[Part, ...] = ()

    @property
    def leaves(self) -> list[Part]:
        """The parts that have ops of geometry of their own."""
        return [leaf for part in self.parts for leaf in part.leaves] or [self]

    def attribute(self, name: str) -> str:
        """Return the full name of a constant that describes the descriptor."""
        return f"descrpt_attr{self.suffix}/{name}"

    def scope(self, owner: int | str) -> str:
        """Return the scope of the embedding nets of a centre type, or of all."""
        return f"filter_type_{owner}{self.suffix}"

    def has_types(self) -> bool:
        """Return whether types have vectors."""
        return "type_embed_net/matrix_1" in self.graph

    @cached_property
    def environment(self) -> tf.NodeDef:
        """The node of the environment op."""
        statistics = self.attribute("t_avg")
        return self._only(self.kind.environment, {statistics, f"{statistics}/read"})

    @cached_property
    def force(self) -> tf.NodeDef:
        """The node of the op of the force."""
        return self._only(self.kind.force, self._rows())

    @cached_property
    def virial(self) -> tf.NodeDef:
        """The node of the op of the virial."""
        return self._only(self.kind.virial, self._rows())

    @property
    def derivatives(self) -> list[tf.NodeDef]:
        """The nodes of the ops of force and virial; none in a graph without forces."""
        return [self.force, self.virial] if FORCE in self.graph else []

    def option(self, key: str, hint: Any, default: Any = None) -> Any:
        """Return a value of the training input, of the type `hint`.

        default : of a key that older releases do not have; None where they all have it
        """
        section, place = self.section, f"{SECTION}/{key}"
        if default is not None and key not in section:
            return default
        if key not in section:
            raise ValueError(
                f"`train_attr/training_script` must hold {place}, {describe(hint)}, but does not"
            )
        return convert(hint, section[key], f"`train_attr/training_script`: {place}")

    def of_tables(self) -> dict[str, Any]:
        """Return the settings of nets that have tables in their place, from the training input."""
        precision = self.option("precision", str)
        return {
            "neuron": self.option("neuron", tuple[int, ...]),
            "activation_function": self.option("activation_function", str),
            "precision": "float64" if precision == "default" else precision,
            "embedding": "table",
        }

    def check_stated(self, own: Any, *keys: str) -> None:
        """Raise ValueError where the training input has another value than `own` for a key."""
        for key in keys:
            wanted, stated = getattr(own, key), self.section.get(key)
            if stated is not None and _listed(stated) != _listed(wanted):
                raise ValueError(
                    f"`train_attr/training_script` must be that of its graph, got {SECTION}/{key} "
                    f"{_listed(stated)} in it and {_listed(wanted)} in the graph"
                )

    def check_keys(self, node: tf.NodeDef, expected: set[str]) -> None:
        """Raise ValueError unless a node has these attributes and no other that matters."""
        given = {key for key in node.attr if key != "T" and not key.startswith("_")}
        for key in sorted(given ^ expected):
            self.check_value(node, key, False)

    def check_value(self, node: tf.NodeDef, key: str, right: bool) -> None:
        """Raise ValueError about an attribute of a node unless it is right."""
        if not right:
            value = " ".join(str(node.attr[key]).split()) if key in node.attr else "nothing"
            raise ValueError(
                f"`{node.name}` (op {node.op}) must have the attribute `{key}` of a plain "
                f"{self.kind.types[0]} model with {self.num_types} types, got {value}"
            )

    def _only(self, ops: tuple[str, ...], inputs: set[str]) -> tf.NodeDef:
        """Return the one node of these ops that has one of the inputs, if this is one of parts."""
        if not self.suffix:
            return self.graph.only(ops)
        return self.graph.only(ops, inputs)

    def _rows(self) -> set[str]:
        """Return the names that the derivative of the environment rows may have."""
        output = f"{self.environment.name}:1"
        nodes = self.graph.graph_def.node
        return {output, *(n.name for n in nodes if n.op == "Identity" and output in n.input)}


def _listed(value: Any) -> Any:
    """Return tuples as lists, and pairs of types in order."""
    if not isinstance(value, list | tuple):
        return value
    items = [_listed(item) for item in value]
    pairs = bool(items) and all(isinstance(item, list) for item in items)
    return sorted(sorted(item) for item in items) if pairs else items
