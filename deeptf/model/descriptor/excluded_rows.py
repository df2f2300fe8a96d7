"""What pairs of excluded types add to sums over neighbours in smooth models of deepmd-kit.

In mixed descriptors with a gate or attention that fades out, and mean values that are not zero, it
gives such a pair the same number in all four columns of its row, and the share 0. A model that was
trained so has the array `excluded_row` [T, 4], by type of the centre; own ones do not, since the
energy then changes when all is turned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deeptf.tf import tf

if TYPE_CHECKING:
    from deeptf.model.descriptor.typed_sums import TypedSums

EXCLUDED_ROW = "excluded_row"


def excluded_sums(
    typed: TypedSums, neighbor_count: tf.Tensor, atom_count: tf.Tensor
) -> tf.Tensor | None:
    """Return what excluded pairs add to S, [N_real, 4, M], or None where they add nothing."""
    net = typed.net
    if net.parameters.known(EXCLUDED_ROW) is None:
        return None
    row, types = net.parameters.array(EXCLUDED_ROW), net.num_types
    neighbor, centre = np.divmod(np.arange(types**2), types)
    alone = typed.alone(tf.constant(row[centre, :1]), neighbor, centre)
    value = tf.reshape(typed.finished(alone).empty_value, [types, types, -1])  # [t, c, M]
    parts = []
    for c, count in enumerate(tf.split(neighbor_count, atom_count, num=types)):
        excluded = tf.cast(count, value.dtype) * (~typed.allowed[:, c]).astype(np.int32)
        sums = tf.matmul(excluded, value[:, c])
        parts.append(sums[:, None, :] * tf.constant(row[c, :, None], value.dtype))
    return tf.concat(parts, axis=0)
