"""The descriptor loc_frame of deepmd-kit: neighbours in the axes of a local frame.

`LocalEnvironment` is its environment op in NumPy, whose derivatives are those of the formula, by
complex steps. With radial places deepmd-kit's own have one term too many on axis atoms, so that its
forces are not the derivatives of its energies; deeptf has exact ones, and no other to compare with.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeptf.exchange.deepmd.geometry import Environment, Frame
from deeptf.exchange.deepmd.kind import FLOAT, INT, Arrays, Kind, Part
from deeptf.exchange.deepmd.names import LOC_FRAME, TYPE_EMBEDDING
from deeptf.exchange.deepmd.rows import check_positive
from deeptf.model.descriptor.loc_frame import LocFrame

RULE = 3  # numbers: class of the place (0 angular, 1 radial), type, rank
OF_EACH = 3  # candidates of each type where a rule leaves one type out
OPPOSITE = 1e-4  # of a cosine above -1
STEP = 1e-100  # along the imaginary axis


class LocFrameKind(Kind):
    """Local frames; the op knows all settings."""

    types = ("loc_frame",)
    environment = ("Descrpt",)
    force = ("ProdForce",)
    virial = ("ProdVirial",)
    outputs = (FLOAT, FLOAT, FLOAT, INT, INT)
    features = frozenset({LOC_FRAME, TYPE_EMBEDDING})  # the latter enters the fitting alone
    from_graph = True

    def settings(self, part: Part) -> LocFrame:
        """Return the settings that the attributes of the op are."""
        node = part.environment
        part.check_keys(node, {"rcut_a", "rcut_r", "sel_a", "sel_r", "axis_rule"})
        part.check_value(node, "rcut_a", node.attr["rcut_a"].f < 0)
        rcut = np.float32(node.attr["rcut_r"].f)
        whole = np.float32(part.graph.number("descrpt_attr/rcut"))  # of a hybrid: the largest
        part.check_value(node, "rcut_r", rcut <= whole if part.suffix else rcut == whole)
        lists = {
            key: tuple(int(n) for n in node.attr[key].list.i)
            for key in ("sel_a", "sel_r", "axis_rule")
        }
        own = LocFrame(**lists, rcut=float(rcut))
        own.check_types(part.num_types)
        if part.width not in (None, own.width):
            raise ValueError(
                f"the fitting nets must take {own.width} numbers, those of all places of the "
                f"descriptor, and the parameters, got a descriptor of {part.width}"
            )
        part.check_stated(own, *lists)
        for node in part.derivatives:
            part.check_keys(node, {"n_a_sel", "n_r_sel"})
            part.check_value(node, "n_a_sel", node.attr["n_a_sel"].i == sum(own.sel_a))
            part.check_value(node, "n_r_sel", node.attr["n_r_sel"].i == sum(own.sel_r))
        return own

    def arrays(self, part: Part, own: LocFrame) -> Arrays:
        """Return mean and standard deviation of the columns."""
        names = {"mean": part.attribute("t_avg"), "stddev": part.attribute("t_std")}
        shape = part.num_types, own.width
        arrays = {
            target: part.graph.array(name, shape).astype(np.float64)
            for target, name in names.items()
        }
        check_positive(names["stddev"], arrays["stddev"])
        return arrays

    def places(self, part: Part, own: LocFrame) -> np.ndarray:
        """Return as many neighbours as rules need, and one radial place has; and those of all."""
        least = np.array(own.sel_a) * (np.array(own.sel_r) > 0) + (np.array(own.sel_r) > 0)
        for row_class, kind, rank in np.reshape(own.axis_rule, (-1, RULE)).tolist():
            before = np.array(own.sel_a) * row_class
            number = min(rank + 1, OF_EACH) if kind < 0 else rank + 1
            named = np.arange(part.num_types) == kind if kind >= 0 else True
            least = np.maximum(least, np.where(named, before + number, 0))
        return np.stack([np.minimum(least, own.sel), own.sel])

    def defined(self, part: Part, frame: Frame) -> np.ndarray:
        """Return whether axes are those of two atoms, [N]."""
        axis = _chosen(frame, *_settings_of(part)).axis
        return axis[:, 0] != axis[:, 1]

    def evaluated(self, part: Part, frame: Frame, given: Sequence[np.ndarray]) -> Environment:
        """Return the descriptors of a frame."""
        _, mean, stddev = given
        centre_type = frame.atom_type[: frame.num_centres]
        chosen = _chosen(frame, *_settings_of(part))
        return _environment(chosen, mean[centre_type], stddev[centre_type])


@dataclass(frozen=True)
class LocalEnvironment(Environment):
    """Outputs of the op: of rows there is one for a centre, and all depend on each displacement.

    rows : [N, width]; derivative : [N, S, width, 3]
    """

    axis: np.ndarray | None = None  # [N, 4] class and number of the places of both axes

    def outputs(self) -> list[np.ndarray]:
        """Return the outputs in the order of the op."""
        return [*super().outputs(), self.axis]

    def of_force(self) -> list[np.ndarray]:
        """Return what the op of the force gets of them."""
        return [*super().of_force(), self.axis]

    def of_virial(self) -> list[np.ndarray]:
        """Return what the op of the virial gets of them."""
        return [*super().of_virial(), self.axis]

    def _pull(self, gradient: np.ndarray) -> np.ndarray:
        return np.einsum("nc,nscd->nsd", gradient.reshape(self.rows.shape), self.derivative)


@dataclass(frozen=True)
class Chosen:
    """Neighbours in the places of all centres."""

    classes: np.ndarray  # [S] of the places
    displacement: np.ndarray  # [N, S, 3] A
    neighbor: np.ndarray  # [N, S], -1 for an empty place
    axis: np.ndarray  # [N, 2] places of the atoms of both axes


def _settings_of(part: Part) -> tuple[list[Sequence[int]], np.ndarray, float]:
    """Return the places [2, T], the rules [T, 2, 3] and the cut-off of the op."""
    attributes = part.environment.attr
    sel = [attributes[key].list.i for key in ("sel_a", "sel_r")]
    rules = np.reshape(attributes["axis_rule"].list.i, (part.num_types, 2, RULE))
    return sel, rules, attributes["rcut_r"].f


def _chosen(frame: Frame, sel: list[Sequence[int]], rules: np.ndarray, rcut: float) -> Chosen:
    """Return which neighbours of a frame are in which places."""
    kinds = [
        (row_class, t, n)
        for row_class, own in enumerate(sel)
        for t, places in enumerate(own)
        for n in range(places)
    ]
    shape = frame.num_centres, len(kinds)
    displacement, neighbor = np.zeros((*shape, 3)), np.full(shape, -1, np.int32)
    axis, distance = np.zeros((shape[0], 2), int), np.linalg.norm(frame.displacement, axis=1)
    for centre in range(shape[0]):
        for place, (row_class, kind, number) in enumerate(kinds):
            own = (frame.centre == centre) & (frame.atom_type[frame.neighbor] == kind)
            order = np.flatnonzero(own & (distance < rcut))
            order = order[np.argsort(distance[order], kind="stable")]
            rank = number + row_class * sel[0][kind]
            if rank < len(order):
                displacement[centre, place] = frame.displacement[order[rank]]
                neighbor[centre, place] = frame.neighbor[order[rank]]
        there = kinds, displacement[centre], neighbor[centre] >= 0
        axis[centre] = _axis_places(*there, rules[frame.atom_type[centre]])
    return Chosen(np.array([kind[0] for kind in kinds]), displacement, neighbor, axis)


def _environment(chosen: Chosen, mean: np.ndarray, stddev: np.ndarray) -> LocalEnvironment:
    """Return what the op gives; mean and standard deviation are those of the centres."""
    filled = chosen.neighbor >= 0
    angular = int(np.sum(chosen.classes == 0))

    def descriptor(displacement: np.ndarray) -> np.ndarray:
        return _descriptor(displacement, filled, chosen.axis, angular)

    rows = (descriptor(chosen.displacement) - mean) / stddev
    slope = np.zeros((*filled.shape, rows.shape[1], 3))
    for place, along in itertools.product(range(filled.shape[1]), range(3)):
        moved = chosen.displacement.astype(complex)
        moved[:, place, along] += 1j * STEP
        slope[:, place, :, along] = descriptor(moved).imag / STEP / stddev
    classes = chosen.classes[chosen.axis]
    axis = np.stack([classes, chosen.axis - angular * classes], axis=2).astype(np.int32)
    return LocalEnvironment(
        rows, -slope, chosen.displacement, chosen.neighbor, axis=axis.reshape(-1, 4)
    )


def _axis_places(
    kinds: list[tuple[int, int, int]],
    displacement: np.ndarray,
    filled: np.ndarray,
    rules: np.ndarray,
) -> list[int]:
    """Return the places of the atoms of both axes of a centre."""
    sorted_places = []
    for row_class, kind, _ in rules.tolist():
        chosen = [
            place
            for place, (own_class, t, number) in enumerate(kinds)
            if own_class == row_class
            and filled[place]
            and (t == kind if kind >= 0 else t != row_class - 1 - kind and number < OF_EACH)
        ]
        distance = np.linalg.norm(displacement[chosen], axis=1)
        sorted_places.append(np.array(chosen)[np.argsort(distance, kind="stable")])
    first, second = (own[rank] for own, rank in zip(sorted_places, rules[:, 2], strict=True))
    u, w = displacement[first], displacement[second]
    if (u @ w) / np.sqrt((u @ u) * (w @ w)) + 1.0 < OPPOSITE:
        second = sorted_places[1][rules[1, 2] + 1]
    return [first, second]


def _descriptor(
    displacement: np.ndarray, filled: np.ndarray, axis: np.ndarray, angular: int
) -> np.ndarray:
    """Return D [N, width] before it is normalised, of real or complex displacements [N, S, 3]."""
    centre = np.arange(len(displacement))
    u, w = (displacement[centre, place] for place in axis.T)
    first = u / _length(u)
    across = w - np.sum(w * first, axis=1, keepdims=True) * first
    second = across / _length(across)
    inverse = np.where(
        filled[..., None], 1.0 / _length(np.where(filled[..., None], displacement, 1)), 0
    )
    components = (
        np.einsum("nsd,nd->ns", displacement, e)[:, :angular, None] * inverse[:, :angular] ** 2
        for e in (np.cross(first, second), first, second)
    )
    rows = np.concatenate([inverse[:, :angular], *components], axis=2)
    return np.hstack([rows.reshape(len(rows), -1), inverse[:, angular:, 0]])


def _length(vectors: np.ndarray) -> np.ndarray:
    """Return sqrt(v . v) [..., 1], which unlike a norm is analytic."""
    return np.sqrt(np.sum(vectors**2, axis=-1, keepdims=True))
