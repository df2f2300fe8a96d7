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


@dataclass(frozen=True)
class SeAEbdV2(SeE2A):
    """Settings of the descriptor; the fields are the keys of the input file (lengths in A)."""

    type: ClassVar[str] = "se_a_ebd_v2"
    needs_type_vectors: ClassVar[bool] = True
    mixed: ClassVar[bool] = True
    stripped: ClassVar[bool] = True

    def mixed_places(self, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of types that count, [T], and which neighbours fill them [T, T]."""
        return np.array(self.sel) @ allowed, allowed
