"""DeepPot-SE two-body descriptor with one embedding net and gates from types (`se_a_ebd_v2`).

It is that of se_e2_a.py with G = net(s~) (1 + h), where the gate h is a net of the vectors of the
types (type_embedding.py) of neighbour and centre, or with `type_one_side` of the neighbour alone.
Places without a neighbour have the vector 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.typed_net import TypedNet
from deeptf.model.descriptor.typed_sums import TypedSums
from deeptf.model.parameters import Parameters
from deeptf.tf import tf


@dataclass(frozen=True)
class SeAEbdV2(SeE2A):
    """Settings of the descriptor; the fields are the keys of the input file (lengths in A)."""

    type: ClassVar[str] = "se_a_ebd_v2"
    needs_type_vectors: ClassVar[bool] = True
    mixed: ClassVar[bool] = True

    def typed(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> TypedSums:
        """Return the sums with gates."""
        return TypedSums(
            self, TypedNet(self, not self.type_one_side, True, type_vectors, parameters)
        )

    def mixed_places(self, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of types that count, [T], and which neighbours fill them [T, T]."""
        return np.array(self.sel) @ allowed, allowed
