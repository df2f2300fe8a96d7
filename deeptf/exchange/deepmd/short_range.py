"""The table of pair energies in the graph of a deepmd-kit model, and its ops in NumPy.

With places for neighbours of displacement x and distance r, tables u and w = exp(-r / alpha):

    SoftMinSwitch   s_i of the soft minimum of r, and ds/dx
    PairTab         V_i = 1/2 sum_j u(r_ij), and force and virial of sum_i scale_i V_i
    SoftMinForce    force of sum_i du_i s_i      SoftMinVirial   its virial

The virial of a pair of the table is shared between both atoms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deeptf.exchange.deepmd import names
from deeptf.exchange.deepmd.geometry import smooth_step
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import Arrays
from deeptf.exchange.deepmd.script import section_of
from deeptf.model.pair_table import GRID, NODES
from deeptf.model.scopes import in_scopes
from deeptf.model.term.short_range import SCOPE
from deeptf.tf import tf

DOUBLE = tf.float64.as_datatype_enum
SWITCH, TABLE, FORCE, VIRIAL = names.SHORT_RANGE_OPS
OUTPUTS = {SWITCH: 2, TABLE: 3, FORCE: 1, VIRIAL: 2}  # number of outputs, all of float64
INFO, DATA = "model_attr/t_tab_info", "model_attr/t_tab_data"
SUMS = ("Add", "AddV2")
SMOOTH = 1e-9  # of the largest number of a table, by which values and slopes may differ at a node


def has_table(graph: DeepmdGraph) -> bool:
    """Return whether a model has a table of pair energies."""
    return any(node.op == TABLE for node in graph.graph_def.node)


def short_range_settings(graph: DeepmdGraph, script: Any) -> dict[str, Any]:
    """Return the settings of a table for ModelConfig; none for a model without one."""
    if not has_table(graph):
        return {}
    section = section_of(script, "model") or {}
    alpha, least, width = _lengths(graph.only((SWITCH,)))
    return {
        "use_srtab": str(section.get("use_srtab") or DATA),
        "srtab_add_bias": section.get("srtab_add_bias", _adds_to_table(graph)) is True,
        "smin_alpha": alpha,
        "sw_rmin": least,
        "sw_rmax": least + width,
    }


def _adds_to_table(graph: DeepmdGraph) -> bool:
    """Return whether a graph adds something to the energies of its table: the energy bias."""
    table = graph.only((TABLE,)).name
    return any(n.op in SUMS and table in n.input for n in graph.graph_def.node)


def _lengths(node: tf.NodeDef) -> tuple[float, float, float]:
    """Return alpha, rmin and rmax - rmin of a switch, rounded as the op does."""
    alpha, least, most = (np.float32(node.attr[key].f) for key in ("alpha", "rmin", "rmax"))
    return float(alpha), float(least), float(most - least)


def short_range_arrays(graph: DeepmdGraph, num_types: int) -> Arrays:
    """Return the arrays of the table by their names in the model.

    Raises ValueError where it is not one of cubics that go on smoothly, for all types.
    """
    if not has_table(graph):
        return {}
    pieces, least, step = _pieces(graph, num_types)
    above = np.triu_indices(num_types)
    if np.any(pieces != pieces.swapaxes(0, 1)):
        raise ValueError(f"`{DATA}` must be the same for both orders of two types, but is not")
    factors = pieces[above][..., ::-1]  # from a0 to a3
    ends = factors @ np.stack([np.ones(4), np.arange(4)], axis=1)
    nodes = np.concatenate([factors[:, :, :2], ends[:, -1:]], axis=1)
    if np.abs(nodes[:, 1:] - ends).max() > SMOOTH * np.abs(nodes).max():
        raise ValueError(f"`{DATA}` must be cubics that go on smoothly, but is not")
    return in_scopes({SCOPE: {NODES: nodes, GRID: np.array([least, step])}})


def _pieces(graph: DeepmdGraph, num_types: int) -> tuple[np.ndarray, float, float]:
    """Return the cubics [T, T, n, 4], a3 first, with the first distance and the step in A."""
    least, step, number, types = graph.array(INFO, (4,)).tolist()
    if types != num_types or not number >= 1 or not step > 0 or number != int(number):
        raise ValueError(
            f"`{INFO}` must have a positive step and intervals of {num_types} types, got "
            f"{[least, step, number, types]}"
        )
    shape = num_types, num_types, int(number), 4
    data = graph.array(DATA, (int(np.prod(shape)),))
    return data.reshape(shape), least, step


class ShortRangeOps:
    """The ops of the table in a graph, evaluated on what they get there."""

    def __init__(self, graph: DeepmdGraph) -> None:
        self._nodes = {n.op: n for n in graph.graph_def.node if n.op in OUTPUTS}

    @property
    def cut(self) -> dict[str, tuple[int, ...]]:
        """The names of their nodes, with the types of their outputs."""
        return {node.name: (DOUBLE,) * OUTPUTS[op] for op, node in self._nodes.items()}

    def of_energy(self) -> list[tf.NodeDef]:
        """Return the nodes that energies need, in their order."""
        return [self._nodes[op] for op in (SWITCH, TABLE) if op in self._nodes]

    def of_force(self) -> list[tf.NodeDef]:
        """Return the nodes that force and virial need besides."""
        return [self._nodes[op] for op in (FORCE, VIRIAL) if op in self._nodes]

    @staticmethod
    def evaluate(
        node: tf.NodeDef, given: Sequence[np.ndarray], num_centres: int, num_atoms: int
    ) -> list[np.ndarray]:
        """Return the outputs of a node from its inputs."""
        return _EVALUATE[node.op](node, given, num_centres, num_atoms)


def _switch(
    node: tf.NodeDef, given: Sequence[np.ndarray], num_centres: int, num_atoms: int
) -> list[np.ndarray]:
    _, displacement, neighbor, _ = given
    alpha, least, width = _lengths(node)
    x, filled = _places(displacement, neighbor, num_centres)
    r = np.where(filled, np.linalg.norm(x, axis=-1), 1.0)
    weight = np.where(filled, np.exp(-r / alpha), 0.0)
    total = weight.sum(axis=1, keepdims=True)
    share = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    soft = (share * r).sum(axis=1, keepdims=True)
    value, slope = smooth_step(soft, least, width)
    value = np.where(total > 0, value, 0.0)
    slope = slope * share * (1 - (r - soft) / alpha)
    return [value, (slope / r)[..., None] * x]


def _table(
    node: tf.NodeDef, given: Sequence[np.ndarray], num_centres: int, num_atoms: int
) -> list[np.ndarray]:
    info, data, types, displacement, neighbor, _, scale = given
    least, step, number, num_types = info.ravel().tolist()
    pieces = data.reshape(int(num_types), int(num_types), int(number), 4)
    x, filled = _places(displacement, neighbor, num_centres)
    at = np.nonzero(filled)
    neighbor = neighbor.reshape(filled.shape)[at]
    r = np.linalg.norm(x[at], axis=1)
    place = (r - least) / step
    inside = place < number
    k = np.clip(place.astype(int), 0, int(number) - 1)
    v = place - k
    types = types.ravel()
    a3, a2, a1, a0 = pieces[types[at[0]], types[neighbor], k].T
    value = np.where(inside, ((a3 * v + a2) * v + a1) * v + a0, 0.0)
    slope = np.where(inside, ((3 * a3 * v + 2 * a2) * v + a1) / step, 0.0)
    energy = np.bincount(at[0], value / 2, num_centres)
    pull = (scale.ravel()[at[0]] * slope / (2 * r))[:, None] * x[at]  # gradient in x
    force = np.zeros((num_atoms, 3))
    np.add.at(force, at[0], pull)
    np.add.at(force, neighbor, -pull)
    virial = np.zeros((num_atoms, 9))
    of_pair = -(pull[:, :, None] * x[at][:, None, :]).reshape(-1, 9) / 2
    np.add.at(virial, at[0], of_pair)
    np.add.at(virial, neighbor, of_pair)
    return [energy, force, virial]


def _force(
    node: tf.NodeDef, given: Sequence[np.ndarray], num_centres: int, num_atoms: int
) -> list[np.ndarray]:
    du, slope, neighbor, _ = given
    pull, filled = _places(slope, neighbor, num_centres)
    pull = pull * du.reshape(-1, 1, 1)
    force = np.zeros((num_atoms, 3))
    force[:num_centres] += pull.sum(axis=1)
    np.add.at(force, neighbor.reshape(filled.shape)[filled], -pull[filled])
    return [force]


def _virial(
    node: tf.NodeDef, given: Sequence[np.ndarray], num_centres: int, num_atoms: int
) -> list[np.ndarray]:
    du, slope, displacement, neighbor, _ = given
    pull, filled = _places(slope, neighbor, num_centres)
    x, _ = _places(displacement, neighbor, num_centres)
    of_place = -(pull * du.reshape(-1, 1, 1))[..., :, None] * x[..., None, :]
    virial = np.zeros((num_atoms, 9))
    np.add.at(virial, neighbor.reshape(filled.shape)[filled], of_place[filled].reshape(-1, 9))
    return [virial.sum(axis=0), virial]


_EVALUATE: dict[str, Callable[..., list[np.ndarray]]] = {
    SWITCH: _switch,
    TABLE: _table,
    FORCE: _force,
    VIRIAL: _virial,
}


def _places(
    vectors: np.ndarray, neighbor: np.ndarray, num_centres: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors of all places [N, S, 3], and which of these have a neighbour [N, S]."""
    return vectors.reshape(num_centres, -1, 3), neighbor.reshape(num_centres, -1) >= 0
