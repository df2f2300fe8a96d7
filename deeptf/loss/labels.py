"""Labels of a batch in the graph, and how far a model is from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptf.data.batch import Batch
from deeptf.model.inputs import Inputs
from deeptf.model.model import Outputs
from deeptf.properties import FRAME, Property
from deeptf.tf import tf


@dataclass(frozen=True)
class Labels:
    """Placeholders of the reference values of a batch, by the names of their files; float64."""

    value: Mapping[str, tf.Tensor]  # [F, ...] or [N, ...]
    has: Mapping[str, tf.Tensor]  # [F]: 1 where the frame has the label, else 0

    @classmethod
    def of(cls, wanted: Sequence[Property]) -> Labels:
        """Create the placeholders in the current graph."""
        value, has = {}, {}
        for row in wanted:
            value[row.label] = tf.placeholder(tf.float64, [None, *row.shape], f"label_{row.label}")
            has[row.label] = tf.placeholder(tf.float64, [None], f"has_{row.label}")
        return cls(value, has)

    def feed(self, batch: Batch) -> dict[tf.Tensor, np.ndarray]:
        """Return the feed of one batch."""
        feed = {tensor: batch.labels[label] for label, tensor in self.value.items()}
        return feed | {tensor: batch.has[label] for label, tensor in self.has.items()}


def check_gives(loss: Any, gives: Sequence[Property], *any_of: Property) -> Property:
    """Return the first of some properties that a model gives; ValueError without any."""
    names = [row.name for row in gives]
    found = [row for row in any_of if row.name in names]
    if not found:
        wanted = " or ".join(row.name for row in any_of)
        raise ValueError(
            f"`loss/type` {loss.type} must have a model that gives {wanted}, got one that gives "
            f"{', '.join(names)}: choose `loss/type` by `model/fitting_net/type`"
        )
    return found[0]


def of_types(types: Sequence[int], inputs: Inputs) -> tf.Tensor:
    """Return 1 for each atom of some types, else 0, [N] float64."""
    own = inputs.atom_type[: tf.shape(inputs.row)[0] - 1]
    chosen = tf.reduce_any(tf.equal(own[:, None], tf.constant(list(types), tf.int32)), axis=1)
    return tf.cast(chosen, tf.float64)


def squared_errors(
    rows: Sequence[Property],
    outputs: Outputs,
    labels: Labels,
    inputs: Inputs,
    weights: Mapping[str, tuple[tf.Tensor, tf.Tensor]] | None = None,
) -> tf.Tensor:
    """Return for each property the sum of squared errors and their number, [properties, 2].

    Errors of extensive properties are per atom; every component counts as one.

    weights : by the key of a property of atoms, which atoms count, 1 or 0, and their weights, [N].
    """
    num_atoms = tf.cast(inputs.frame_row[1:] - inputs.frame_row[:-1], tf.float64)  # [F]
    sums = []
    for row in rows:
        error = outputs.values[row.name] - labels.value[row.label]
        error = tf.reshape(error, [-1, row.width])
        has = labels.has[row.label]
        if row.extensive:
            error /= num_atoms[:, None]
        if row.of != FRAME:
            has = tf.gather(has, inputs.frame_of_atom)
            if row.types:
                has *= of_types(row.types, inputs)
        counts, weight = (weights or {}).get(row.key, (1.0, 1.0))
        has *= counts
        square = tf.reduce_sum(error**2, axis=1)
        sums.append([tf.reduce_sum(has * weight * square), row.width * tf.reduce_sum(has)])
    return tf.stack([tf.stack(one) for one in sums])
