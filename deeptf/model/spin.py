"""Atoms with spins (DeepSPIN): each has a virtual atom beside it that says where its spin points.

Yang et al., Phys. Rev. B 110, 064427, 2024. Types with spins come first among the T real ones; the
virtual atoms of the k-th have type T + k. One of an atom at x with spin s is at

    x + d    d = virtual_len s / spin_norm

(|s| = spin_norm in the data); the n-th of a type belongs to the n-th atom of its type in the frame.
Virtual atoms are neighbours as others are and have no energy. With f = -dE/d(place) of all atoms

    force of an atom             f_real + f_virtual            = -dE/dx at constant spins
    force of its virtual atom    f_virtual virtual_len / spin_norm  = -dE/ds, the magnetic force
    virial                       -sum_pairs dE/dr (x) (r - d_j + d_i)

so that the virial is that of a strain under which spins do not turn, and need not be symmetric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from deeptf.data.types import OF_SPIN
from deeptf.model.inputs import Inputs
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import MAGNETIC_FORCE, REAL_FORCE
from deeptf.tf import tf


@dataclass(frozen=True)
class Spin:
    """Which real types have spins, and for each of these two lengths."""

    use_spin: tuple[bool, ...]
    virtual_len: tuple[float, ...]  # A
    spin_norm: tuple[float, ...]

    def __post_init__(self) -> None:
        number = sum(self.use_spin)
        if not number or not all(self.use_spin[:number]):
            raise ValueError(
                "`use_spin` must be true for the first types, at least one, and false for the "
                f"others, got {list(self.use_spin)}"
            )
        for name in ("virtual_len", "spin_norm"):
            values = getattr(self, name)
            if len(values) != number or not min(values) > 0:
                raise ValueError(
                    f"`{name}` must hold a positive number for each of {number} types with spins, "
                    f"got {list(values)}"
                )

    @property
    def num_real(self) -> int:
        """Number of types of real atoms, T."""
        return len(self.use_spin)

    @property
    def num_types(self) -> int:
        """Number of all types, with those of virtual atoms."""
        return len(self.use_spin) + len(self.virtual_len)

    def with_virtual(self, values: Sequence[object]) -> tuple[object, ...]:
        """Return what real types have with that of the virtual ones: those of their real types."""
        if len(values) != self.num_real:
            return tuple(values)
        return *values, *values[: len(self.virtual_len)]

    def names(self, type_map: Sequence[str]) -> tuple[str, ...]:
        """Return the names of all types from those of the real ones; ValueError for others."""
        if len(type_map) == self.num_real:
            return *type_map, *(f"{name}{OF_SPIN}" for name in type_map[: len(self.virtual_len)])
        if len(type_map) != self.num_types:
            raise ValueError(
                f"`type_map` must name the {self.num_real} types of `spin/use_spin`, or with "
                f"virtual ones {self.num_types}, got {list(type_map)}"
            )
        return tuple(type_map)

    def merged(self, bias: np.ndarray) -> np.ndarray:
        """Return what belongs to atoms [T] of an energy bias of all types."""
        found = bias[: self.num_real].copy()
        found[: len(self.virtual_len)] += bias[self.num_real :]
        return found


class Spins(NamedTuple):
    """The atoms with spins of some frames, S of them."""

    real: tf.Tensor  # [S]
    virtual: tf.Tensor  # [S]
    factor: tf.Tensor  # [S] virtual_len / spin_norm
    shift: tf.Tensor  # [N, 3] d of virtual atoms, 0 of others

    def force(self, force: tf.Tensor) -> tf.Tensor:
        """Return forces on atoms, and of virtual ones on spins, from -dE/d(place), [N, 3]."""
        on_virtual = tf.gather(force, self.virtual)
        force = tf.tensor_scatter_nd_add(force, self.real[:, None], on_virtual)
        magnetic = self.factor[:, None] * on_virtual
        return tf.tensor_scatter_nd_update(force, self.virtual[:, None], magnetic)

    def chosen(self, inputs: Inputs) -> dict[str, tf.Tensor]:
        """Return, by the names of both kinds of forces, 1 for each atom that has one, [N, 1]."""
        ones = tf.ones([tf.shape(self.virtual)[0], 1], tf.float64)
        shape = tf.stack([tf.shape(inputs.coord, out_type=tf.int64)[0], 1])
        virtual = tf.scatter_nd(self.virtual[:, None], ones, shape)
        return {REAL_FORCE.name: 1.0 - virtual, MAGNETIC_FORCE.name: virtual}

    def rigid(self, pairs: SortedPairs) -> SortedPairs:
        """Return the pairs with displacements r - d_j + d_i, which strain changes."""
        shift = tf.gather(self.shift, pairs.centre) - tf.gather(self.shift, pairs.neighbor)
        return pairs._replace(displacement=pairs.displacement + shift)


def spins_of(spin: Spin, inputs: Inputs) -> Spins:
    """Return the atoms with spins; the graph stops where one lacks its virtual atom."""
    real, virtual, factor = [], [], []
    for number, (length, norm) in enumerate(zip(spin.virtual_len, spin.spin_norm, strict=True)):
        kind = number, spin.num_real + number
        found = [tf.where(tf.equal(inputs.atom_type, one))[:, 0] for one in kind]
        with tf.control_dependencies([_check(kind, found, inputs)]):
            real.append(tf.identity(found[0]))
            virtual.append(tf.identity(found[1]))
        factor.append(tf.fill(tf.shape(found[0]), tf.constant(length / norm, tf.float64)))
    real, virtual = tf.concat(real, axis=0), tf.concat(virtual, axis=0)
    away = tf.gather(inputs.coord, virtual) - tf.gather(inputs.coord, real)
    away = _nearest(away, tf.gather(inputs.cell, tf.gather(inputs.frame_of_atom, virtual)))
    shift = tf.scatter_nd(virtual[:, None], away, tf.shape(inputs.coord, out_type=tf.int64))
    return Spins(real, virtual, tf.concat(factor, axis=0), shift)


def _nearest(vector: tf.Tensor, cell: tf.Tensor) -> tf.Tensor:
    """Return vectors [S, 3] to the nearest image, where there is a cell [S, 3, 3]."""
    none = tf.cast(tf.reduce_all(tf.equal(cell, 0.0), axis=[1, 2]), tf.float64)[:, None, None]
    inverse = tf.linalg.inv(cell + none * tf.eye(3, dtype=tf.float64))
    images = tf.round(tf.einsum("sa,sab->sb", vector, inverse))
    return vector - tf.einsum("sa,sab->sb", images, cell)


def _check(kind: tuple[int, int], found: Sequence[tf.Tensor], inputs: Inputs) -> tf.Operation:
    """Return what stops unless each frame has as many virtual atoms as real ones of a type."""
    counts = [
        tf.math.unsorted_segment_sum(
            tf.ones_like(one), tf.gather(inputs.frame_of_atom, one), inputs.num_frames
        )
        for one in found
    ]
    wrong = tf.not_equal(*counts)
    first = tf.argmax(tf.cast(wrong, tf.int32))
    message = [
        "frame ",
        tf.as_string(first),
        f": `atom_types` must have a virtual atom of type {kind[1]} for each atom of type "
        f"{kind[0]}, got ",
        tf.as_string(counts[1][first]),
        " for ",
        tf.as_string(counts[0][first]),
    ]
    data = [tf.strings.join(message)]
    return tf.raw_ops.Assert(condition=tf.logical_not(tf.reduce_any(wrong)), data=data)
