"""Kinds whose op of geometry gives environment rows: what they share.

The op holds rcut and rcut_smth as float32 and subtracts them in float32:
u = (r - r0) / w with r0 = float32(rcut_smth), w = float32(rcut - r0). The cut-off is r0 + w.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from deeptf.exchange.deepmd.geometry import Environment, Frame, environment
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import Arrays, Kind, Part
from deeptf.exchange.deepmd.nodes import constant
from deeptf.exchange.deepmd.tabulate import FUSION
from deeptf.model.ranges import SHORTEST
from deeptf.tf import tf


class RowsKind(Kind):
    """A descriptor of environment rows.

    columns : numbers in a row
    sel, rcut, rcut_smth : attributes of the environment op
    fixed : its other attributes, and whether a value is one that deeptf knows
    sizes : attributes of the ops of force and virial, which follow from sel
    mixed : places are for neighbours of any type, nearest first
    fusion : the op of tables of compressed models, without its first part
    """

    columns: int = 4
    sel: str = "sel_a"
    rcut: str = "rcut_r"
    rcut_smth: str = "rcut_r_smth"
    fixed: Mapping[str, Callable[[tf.AttrValue], bool]] = {
        "rcut_a": lambda value: value.f < 0,
        "sel_r": lambda value: not any(value.list.i),
    }
    sizes: Mapping[str, Callable[[Sequence[int]], int]] = {"n_a_sel": sum, "n_r_sel": lambda sel: 0}
    mixed: bool = False
    fusion: str

    def table_nodes(self, part: Part, owner: int | str) -> list[tf.NodeDef]:
        """Return the ops of tables in the scope of a centre type, or of all, in their order."""
        first, found = f"{part.scope(owner)}/{FUSION}{self.fusion}", []
        while (name := f"{first}_{len(found)}" if found else first) in part.graph:
            found.append(part.graph.nodes[name])
        return found

    def lengths(self, part: Part) -> dict[str, Any]:
        """Return sel, rcut and rcut_smth in A, checked against all that says the same."""
        self._check(part)
        attributes = part.environment.attr
        rcut_smth = np.float32(attributes[self.rcut_smth].f)
        return {
            "sel": self.sel_of(part),
            "rcut": float(rcut_smth) + float(np.float32(attributes[self.rcut].f) - rcut_smth),
            "rcut_smth": float(rcut_smth),
        }

    def sel_of(self, part: Part) -> tuple[int, ...]:
        """Return the numbers of places."""
        return tuple(int(n) for n in part.environment.attr[self.sel].list.i)

    def places(self, part: Part, own: Any) -> np.ndarray:
        """Return no neighbour, and those for which there are places, [2, T]."""
        types = part.num_types
        most = np.full(types, own.sel // types) if self.mixed else np.array(own.sel)
        return np.stack([np.zeros(types, int), most])

    def evaluated(self, part: Part, frame: Frame, given: Sequence[np.ndarray]) -> Environment:
        """Return the rows of a frame."""
        _, mean, stddev = given
        attributes = part.environment.attr
        lengths = attributes[self.rcut_smth].f, attributes[self.rcut].f
        return environment(frame, self.sel_of(part), lengths, mean, stddev, self.mixed)

    def statistics(self, part: Part) -> Arrays:
        """Return mean and standard deviation of the rows, and how near atoms come in the data."""
        places, arrays = sum(self.sel_of(part)), {}
        for source, target in (("t_avg", "mean"), ("t_std", "stddev")):
            name = part.attribute(source)
            rows = part.graph.array(name, (part.num_types, self.columns * places))
            rows = rows.reshape(part.num_types, places, self.columns)
            if np.any(rows != rows[:, :1]):
                raise ValueError(f"`{name}` must be the same for every neighbour, but is not")
            arrays[target] = rows[:, 0].astype(np.float64)
        check_positive(part.attribute("t_std"), arrays["stddev"])
        return arrays | shortest(part.graph, part.num_types)

    def _check(self, part: Part) -> None:
        """Check the attributes of the ops of geometry, and what else says the same."""
        node, sel = part.environment, self.sel_of(part)
        part.check_keys(node, {self.sel, self.rcut, self.rcut_smth, *self.fixed})
        name = part.attribute("sel")
        stated = part.graph.array(name) if name in part.graph else sel
        entries = 1 if self.mixed else part.num_types
        part.check_value(node, self.sel, len(sel) == entries and [*sel] == [*np.ravel(stated)])
        for key, is_right in self.fixed.items():
            part.check_value(node, key, is_right(node.attr[key]))
        if min(sel) < 1:
            raise ValueError(
                f"`sel` must be at least 1 for every type, got {[*sel]}: it leaves out all "
                "neighbours of a type, deeptf none"
            )
        rcut = np.float32(part.graph.number("descrpt_attr/rcut"))  # of a hybrid: the largest
        own = np.float32(node.attr[self.rcut].f)
        part.check_value(node, self.rcut, own <= rcut if part.suffix else own == rcut)
        for node in part.derivatives:
            part.check_keys(node, set(self.sizes))
            for key, size in self.sizes.items():
                part.check_value(node, key, node.attr[key].i == size(sel))


def check_positive(name: str, value: np.ndarray) -> None:
    """Raise ValueError unless all numbers of an array are positive."""
    if not np.all(value > 0):
        raise ValueError(f"`{name}` must be positive, got {np.min(value)}")


def shortest(graph: DeepmdGraph, num_types: int) -> Arrays:
    """Return how near atoms of any types come in the data, if the file says a distance."""
    name = "train_attr/min_nbor_dist"
    distance = constant(graph.nodes[name]) if name in graph else np.array(np.nan)
    if distance.dtype.kind != "f" or distance.shape != () or not 0 < distance < np.inf:
        return {}
    return {SHORTEST: np.full((num_types, num_types), distance)}
