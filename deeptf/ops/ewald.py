"""Charges and all their periodic images: the reciprocal part of an Ewald sum (core/long_range).

Letters: F frames, N sites. Frames follow one another, as frame_row [F + 1] says.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from deeptf.ops.library import library
from deeptf.tf import tf


class Charges(NamedTuple):
    """Point charges in cells."""

    coord: tf.Tensor  # [N, 3] A
    charge: tf.Tensor  # [N] e
    cell: tf.Tensor  # [F, 3, 3] A, rows are cell vectors
    frame_row: tf.Tensor  # [F + 1] first site of each frame


class Ewald(NamedTuple):
    """What charges do to each other; eV, A and e."""

    energy: tf.Tensor  # [F]
    force: tf.Tensor  # [N, 3] -dE/dr
    virial: tf.Tensor  # [F, 9] -dE/dstrain
    potential: tf.Tensor  # [N] dE/dq; the energy is half the sum of q dE/dq


def ewald(charges: Charges, beta: float, spacing: float) -> Ewald:
    """Return the energy of Gaussian charges in reciprocal space, with what follows from it.

    E = k_e / (2 pi V) sum_{m != 0} exp(-pi^2 m^2 / beta^2) / m^2 |S(m)|^2, without a sum in real
    space and a self term (core/long_range/ewald.h).
    beta in 1/A; spacing in A decides how many m there are, at least |a| / spacing along each cell
    vector a. Both are rounded to float32. Of the results the energy has a gradient, in coordinates,
    charges and cells.
    Errors: a cell without volume, coordinates that are not finite.
    """
    constants = {"beta": beta, "spacing": spacing}
    frame_row = charges.frame_row
    found = []

    @tf.custom_gradient
    def energy_of(coord: tf.Tensor, charge: tf.Tensor, cell: tf.Tensor) -> tuple[tf.Tensor, Any]:
        energy, *others = library().ewald(coord, charge, cell, frame_row, **constants)
        found.extend(others)

        def gradient(upper: tf.Tensor) -> list[tf.Tensor]:
            force, virial, potential = others
            of_site = tf.repeat(upper, frame_row[1:] - frame_row[:-1])
            pull = -force[:, :, None] * coord[:, None]
            frame = tf.repeat(tf.range(tf.shape(cell)[0]), frame_row[1:] - frame_row[:-1])
            pull = tf.math.unsorted_segment_sum(pull, frame, tf.shape(cell)[0])
            strain = -tf.reshape(virial, [-1, 3, 3]) - pull  # (dE/dcell)^T cell
            of_cell = tf.linalg.matrix_transpose(tf.linalg.matmul(strain, tf.linalg.inv(cell)))
            return [
                -of_site[:, None] * force,
                of_site * potential,
                upper[:, None, None] * of_cell,
            ]

        return energy, gradient

    return Ewald(energy_of(charges.coord, charges.charge, charges.cell), *found)


def ewald_site_virial(charges: Charges, beta: float, spacing: float) -> tf.Tensor:
    """Return what each charge has of the virial, [N, 9]: half of its terms with all charges.

    The rest is as in `ewald`. No gradient.
    """
    return library().ewald_site_virial(*charges, beta=beta, spacing=spacing)
