"""The modifier `dipole_charge` in the graph of a deepmd-kit model, and the model of dipoles in it.

The graph of the model of dipoles lies below `dipole_charge/`, with its own inputs and without the
input of its training. Behind it are derivatives of the dipoles for other programs (`o_dm_*`), of
which the conversion makes nothing. The sum over charges is in no graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deeptf.exchange.deepmd import names
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.nodes import constant, needed_by, renamed
from deeptf.tf import tf

PREFIX = "dipole_charge/"
ATTRIBUTES = "modifier_attr/"
OUTPUTS = ("o_dm_force", "o_dm_virial", "o_dm_av")
TYPE = "dipole_charge"


@dataclass(frozen=True)
class GraphModifier:
    """What a graph has of a modifier.

    dipole : the graph of the model of dipoles under names of its own.
    """

    dipole: DeepmdGraph
    model_name: str
    model_charge_map: tuple[float, ...]
    sys_charge_map: tuple[float, ...]
    ewald_beta: float
    ewald_h: float


def part_modifier(graph_def: tf.GraphDef) -> tuple[tf.GraphDef, GraphModifier | None]:
    """Return a graph without its modifier, and the modifier, if it has one.

    Raises ValueError where it is of another type, or where parts of it are missing.
    """
    nodes = {node.name: node for node in graph_def.node}
    if f"{ATTRIBUTES}type" not in nodes:
        return graph_def, None
    read = _Attributes(nodes)
    if read.text("type") != TYPE:
        raise ValueError(f"`{ATTRIBUTES}type` must be {TYPE}, got {read.text('type')}")
    own = needed_by(nodes, [n for n in nodes if names.plain(n) in names.OUTPUTS])
    theirs = needed_by(nodes, [name for name in OUTPUTS if name in nodes])
    read.only("type", "mdl_name", "mdl_charge_map", "sys_charge_map", "ewald_beta", "ewald_h")
    rest = tf.GraphDef(versions=graph_def.versions, library=graph_def.library)
    dipole = tf.GraphDef(versions=graph_def.versions)
    for node in graph_def.node:
        if node.name.startswith(PREFIX):
            dipole.node.append(renamed(node, lambda name: name.removeprefix(PREFIX)))
        elif node.name in own or not (node.name in theirs or node.name.startswith(ATTRIBUTES)):
            rest.node.append(node)
    inside = DeepmdGraph(dipole)
    if inside.kind != "dipole":
        raise ValueError(f"`{PREFIX}` must hold a model of dipoles, got one of {inside.kind}")
    return rest, GraphModifier(
        inside,
        read.text("mdl_name"),
        read.numbers("mdl_charge_map"),
        read.numbers("sys_charge_map"),
        read.number("ewald_beta"),
        read.number("ewald_h"),
    )


class _Attributes:
    """Constants that describe the modifier."""

    def __init__(self, nodes: dict[str, tf.NodeDef]) -> None:
        self._nodes = nodes

    def only(self, *known: str) -> None:
        """Raise ValueError where there are others."""
        own = {name for name in self._nodes if name.startswith(ATTRIBUTES)}
        for name in sorted(own - {f"{ATTRIBUTES}{one}" for one in known}):
            raise ValueError(f"`{name}` must be a key of a modifier that deeptf knows, but is not")

    def text(self, name: str) -> str:
        """Return a constant that is one string."""
        value = self._value(name)
        if value.shape != () or not isinstance(value.item(), bytes):
            raise ValueError(f"`{ATTRIBUTES}{name}` must be one string, got {value!r}")
        return value.item().decode(errors="replace")

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a constant that is a string of numbers."""
        text = self.text(name)
        try:
            return tuple(float(word) for word in text.split())
        except ValueError:
            raise ValueError(f"`{ATTRIBUTES}{name}` must be numbers, got {text!r}") from None

    def number(self, name: str) -> float:
        """Return a constant that is one number."""
        value = self._value(name)
        if value.shape != () or value.dtype.kind not in "fi":
            raise ValueError(f"`{ATTRIBUTES}{name}` must be one number, got {value!r}")
        return float(value)

    def _value(self, name: str) -> np.ndarray:
        node = self._nodes.get(f"{ATTRIBUTES}{name}")
        if node is None or node.op != "Const":
            raise ValueError(f"it must hold the constant `{ATTRIBUTES}{name}`, but does not")
        return constant(node)
