"""Local-frame descriptor: neighbours in axes that two of them span (Zhang et al., PRL 120, 143001).

With x', y', z' along e1 = u/|u|, e2 = (w - (w . e1) e1) normalised and e3 = e1 x e2, where u and w
lead to the neighbours that `axis_rule` names for the type of the centre (local_frames.py),

    D_i = ((1/r, z'/r^2, x'/r^2, y'/r^2) of sel_a places of each type, 1/r of sel_r further ones)

normalised by mean and spread of each column over the data: (D - mean_t) / stddev_t. Nothing fades
out at the cut-off, so that energies jump where neighbours change their order or cross it, and they
change under reflection. Neighbours beyond the places count nothing. An atom without the neighbours
that its axes need has no descriptor: that is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import numpy as np

from deeptf.data.batch import Batch, Pairs
from deeptf.data.pairs import naming_frames
from deeptf.data.statistics import Collector, Found, Neighbours
from deeptf.model.descriptor.described import Arrays, Described, Lines
from deeptf.model.descriptor.local_frames import (
    ANGULAR,
    RADIAL,
    Layout,
    LocalRows,
    Rule,
    local_rows,
)
from deeptf.model.descriptor.row_sums import LEAST
from deeptf.model.parameters import Parameters
from deeptf.model.roles import FUNCTION, function
from deeptf.model.stages import Axis, Constant, LocalFrames, Stage
from deeptf.model.table import Table
from deeptf.ops.pairs import SortedPairs, sort_pairs
from deeptf.tf import session, tf

AXES = 2
COPIES = 6  # of four numbers of a place, held for the backward pass; an upper bound
OF_PAIR = 96  # bytes: distances and indices by type, before the nearest are taken


@dataclass(frozen=True)
class LocFrame:
    """Settings of the descriptor; the fields are the keys of the input file (lengths in A)."""

    type: ClassVar[str] = "loc_frame"
    needs_type_vectors: ClassVar[bool] = False
    sel_a: tuple[int, ...]
    sel_r: tuple[int, ...]
    axis_rule: tuple[int, ...] = field(metadata={"role": FUNCTION})
    rcut: float = function(6.0)

    def __post_init__(self) -> None:
        if not 0 < self.rcut:
            raise ValueError(f"`rcut` must be positive, got {self.rcut}")
        if len(self.sel_a) != len(self.sel_r) or min((*self.sel_a, *self.sel_r), default=-1) < 0:
            raise ValueError(
                "`sel_a` and `sel_r` must hold a number >= 0 for each type, "
                f"got {list(self.sel_a)} and {list(self.sel_r)}"
            )
        numbers = AXES * len(Rule._fields)
        if len(self.axis_rule) != numbers * len(self.sel_a):
            raise ValueError(
                f"`axis_rule` must hold {numbers} numbers for each type of `sel_a`, "
                f"got {len(self.axis_rule)} for {len(self.sel_a)} types"
            )
        for rules in self.rules:
            self._check_rules(rules)

    def _check_rules(self, rules: tuple[Rule, ...]) -> None:
        for rule in rules:
            if rule.row_class not in (ANGULAR, RADIAL) or rule.rank < 0:
                raise ValueError(
                    "`axis_rule` must hold (class, type, rank) with class 0 or 1 and rank >= 0, "
                    f"got {list(rule)}"
                )
            places = int(np.sum(self.layout.candidates(rule)))
            if rule.rank >= places:
                raise ValueError(
                    "`axis_rule` must name a place that `sel_a` or `sel_r` has, got "
                    f"{list(rule)}, for which there are {places} places"
                )
        if rules[0] == rules[1]:
            raise ValueError(
                f"`axis_rule` must name two neighbours of a centre, got {list(rules[0])} twice"
            )

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where `sel_a` does not fit the number of types."""
        if len(self.sel_a) != num_types:
            raise ValueError(
                f"`sel_a` and `sel_r` must have one entry for each of the {num_types} types of "
                f"type_map, got {list(self.sel_a)} and {list(self.sel_r)}"
            )

    @property
    def sel(self) -> tuple[int, ...]:
        """Places of each type."""
        return tuple(a + r for a, r in zip(self.sel_a, self.sel_r, strict=True))

    @property
    def layout(self) -> Layout:
        """The places of a centre."""
        return Layout(self.sel_a, self.sel_r)

    @property
    def rules(self) -> tuple[tuple[Rule, ...], ...]:
        """The rules of both axes, by type of the centre."""
        numbers = np.reshape(self.axis_rule, (-1, AXES, len(Rule._fields))).tolist()
        return tuple(tuple(Rule(*rule) for rule in both) for both in numbers)

    @property
    def width(self) -> int:
        """Length of the descriptor of an atom."""
        return 4 * sum(self.sel_a) + sum(self.sel_r)

    @property
    def pair_bytes(self) -> int:
        """Working memory of a pair."""
        return OF_PAIR

    @property
    def atom_bytes(self) -> int:
        """Working memory of an atom: what its places hold."""
        return tf.float64.size * COPIES * 4 * sum(self.sel)

    def with_open_of(self, old: LocFrame) -> LocFrame:
        """Return the settings: they leave nothing open."""
        return self

    def collectors(self, num_types: int) -> list[Collector]:
        """Return sums of the columns; they also find atoms without axes."""
        return [ColumnSums(self)]

    def decide(self, found: Found) -> tuple[LocFrame, Lines]:
        """Return the settings, and that the energy jumps."""
        note = (
            "note: this descriptor jumps where neighbours change their order or cross the cut-off, "
            "and so does the energy"
        )
        return self, [note]

    def first_arrays(self, found: Found) -> Arrays:
        """Return mean and spread of the columns by type of the centre, [T, width]."""
        sums = ColumnSums(self)
        mean, stddev = sums.normalisation(found.training[sums])
        return {"mean": mean, "stddev": stddev}

    def seen(self, found: Found) -> Arrays:
        """Return nothing: the descriptor has no tables."""
        return {}

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return nothing: further data change nothing."""
        return {}, []

    def build(
        self,
        pairs: SortedPairs,
        atom_type: tf.Tensor,
        parameters: Parameters,
        type_vectors: tf.Tensor | None,
    ) -> Described:
        """Return D [N_real, width] in the order of `pairs.atom_order`.

        An isolated atom has no axes; its D is that of places without neighbours.
        """
        found = local_rows(pairs, self.layout, self.rules, self.rcut)
        rows = complete(found, pairs, self.lacks())
        mean, stddev = (parameters.fixed_array(name) for name in ("mean", "stddev"))

        def normalised(rows: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
            return (rows - tf.repeat(mean, count, axis=0)) / tf.repeat(stddev, count, axis=0)

        def isolated() -> tf.Tensor:
            types = len(self.sel)
            return normalised(tf.zeros([types, self.width], tf.float64), tf.ones([types], tf.int32))

        return Described(normalised(rows, pairs.atom_count), isolated)

    def plan(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> list[Stage]:
        """Return the one stage that gives D."""
        axes = [
            [
                Axis(np.flatnonzero(self.layout.candidates(rule)).tolist(), rule.rank)
                for rule in both
            ]
            for both in self.rules
        ]
        lacks = np.reshape(self.lacks(), (len(self.sel), -1))[:, 1:].tolist()
        names = (Constant(parameters.name(name)) for name in ("mean", "stddev"))
        places = self.rcut, self.sel_a, self.sel_r
        return [LocalFrames(parameters.name("descriptor"), *places, axes, lacks, *names)]

    def tables(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> list[Table]:
        """Return nothing: there are no nets."""
        return []

    def lacks(self) -> list[str]:
        """Return what is wrong with an atom of each type and lack, in the order of both."""
        texts = []
        for centre, rules in enumerate(self.rules):
            texts.append("")
            texts += [
                f"`axis_rule` must name neighbours that are there, but type {centre} has none "
                f"within {self.rcut} A for the rule {list(rule)} of axis {number}: take a larger "
                "`rcut` or another rule"
                for number, rule in enumerate(rules, 1)
            ]
            texts.append(
                f"`axis_rule` must name neighbours in two directions, but those of type {centre}, "
                f"{[list(rule) for rule in rules]}, lie on one line: take other rules"
            )
        return texts


def complete(
    found: LocalRows, pairs: SortedPairs, lacks: list[str], frame_row: tf.Tensor | None = None
) -> tf.Tensor:
    """Return the rows; where an atom lacks an axis, an error that names it instead.

    frame_row : [F + 1] for a message that names the frame, and counts atoms in it.
    """
    types = int(pairs.atom_count.shape[0])
    centre_type = tf.repeat(tf.range(types), pairs.atom_count)
    first = tf.argmax(tf.pad(found.lack, [[0, 1]]) > 0)  # or of no atom
    text = tf.pad(len(lacks) // types * centre_type + found.lack, [[0, 1]])[first]
    atom, place = tf.pad(pairs.atom_order, [[0, 1]])[first], ""
    if frame_row is not None:
        frame = tf.searchsorted(frame_row[1:], [atom], side="right")[0]
        atom -= tf.pad(frame_row, [[0, 1]])[frame]
        place = tf.strings.join(["frame ", tf.as_string(frame), ", "])
    message = tf.strings.join([place, "atom ", tf.as_string(atom), ": ", tf.gather(lacks, text)])
    whole = tf.reduce_all(tf.equal(found.lack, 0))
    with tf.control_dependencies([tf.raw_ops.Assert(condition=whole, data=[message])]):
        return tf.identity(found.rows)


@dataclass(frozen=True)
class ColumnSums:
    """Number of centres, and sums of the columns and of their squares, by type of the centre.

    Every frame is looked at, since one with an atom that lacks an axis cannot be trained on; the
    sums are those of the sampled frames.
    """

    descriptor: LocFrame
    sampled = False

    @property
    def rcut(self) -> float:
        """Pairs up to this distance in A."""
        return self.descriptor.rcut

    def nothing(self) -> np.ndarray:
        """Return zeros, [T (1 + 2 width)]."""
        return np.zeros(len(self.descriptor.sel) * (1 + 2 * self.descriptor.width))

    def collect(self, batch: Batch, neighbours: Neighbours, chosen: np.ndarray) -> np.ndarray:
        """Return the sums over the chosen frames of a batch.

        Raises DataError for an atom that lacks an axis; it names system and frame.
        """
        with naming_frames(batch):
            rows, atoms = _evaluator(self.descriptor)(batch, neighbours.pairs)
        used = np.repeat(chosen, batch.atoms_per_frame)[atoms]
        rows, atoms = rows[used], atoms[used]
        of_type = np.eye(len(self.descriptor.sel))[batch.atom_type[atoms]]  # [N, T]
        values = np.hstack([np.ones((len(rows), 1)), rows, rows**2])
        return (of_type.T @ values).ravel()

    def join(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the sums over both."""
        return a + b

    def normalisation(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and spread of the columns, [T, width] each.

        A type without atoms has mean 0 and spread 1/rcut.
        """
        sums = row.reshape(len(self.descriptor.sel), -1)
        centres = np.maximum(sums[:, :1], 1)
        mean, square = np.split(sums[:, 1:] / centres, 2, axis=1)
        spread = np.maximum(np.sqrt(np.maximum(square - mean**2, 0.0)), LEAST)
        return mean, np.where(sums[:, :1] > 0, spread, 1.0 / self.rcut)


@lru_cache(maxsize=2)
def _evaluator(own: LocFrame) -> Callable[[Batch, Pairs], list[np.ndarray]]:
    """Return what gives the rows [N_real, width] of a batch, not normalised, and their atoms."""
    with tf.Graph().as_default() as graph:
        given = {
            "row": tf.placeholder(tf.int32, [None]),
            "neighbor": tf.placeholder(tf.int32, [None]),
            "displacement": tf.placeholder(tf.float64, [None, 3]),
            "atom_type": tf.placeholder(tf.int32, [None]),
        }
        frame_row = tf.placeholder(tf.int32, [None])
        pairs = sort_pairs(*given.values(), len(own.sel))
        found = local_rows(pairs, own.layout, own.rules, own.rcut)
        outputs = [complete(found, pairs, own.lacks(), frame_row), pairs.atom_order]
    run = session(graph)

    def evaluate(batch: Batch, of_batch: Pairs) -> list[np.ndarray]:
        values = {**vars(of_batch), "atom_type": batch.atom_type}
        feed = {tensor: values[name] for name, tensor in given.items()}
        return run.run(outputs, {**feed, frame_row: batch.frame_row})

    return evaluate
