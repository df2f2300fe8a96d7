"""The descriptor hybrid of deepmd-kit: several descriptors, each with a suffix to its names."""

from __future__ import annotations

import numpy as np

from deeptf.exchange.deepmd.kind import Arrays, Kind, Part
from deeptf.exchange.deepmd.names import HYBRID
from deeptf.model.descriptor.hybrid import Hybrid


class HybridKind(Kind):
    """A list of other kinds, which have the ops of geometry."""

    types = ("hybrid",)
    features = frozenset({HYBRID})
    of_parts = True

    def settings(self, part: Part) -> Hybrid:
        """Return the settings of the parts."""
        own = Hybrid(tuple(one.kind.settings(one) for one in part.parts))
        if part.width not in (None, own.width):
            raise ValueError(
                f"the fitting nets must take {own.width} numbers, those of all parts of the "
                f"descriptor, and the parameters, got a descriptor of {part.width}"
            )
        return own

    def arrays(self, part: Part, own: Hybrid) -> Arrays:
        """Return the arrays of the parts, each in the scope of its number."""
        return {
            f"{number}/{name}": array
            for number, (one, settings) in enumerate(zip(part.parts, own.list, strict=True))
            for name, array in one.kind.arrays(one, settings).items()
        }

    def places(self, part: Part, own: Hybrid) -> np.ndarray:
        """Return the numbers of neighbours for which all parts have places, [2, T]."""
        pairs = zip(part.parts, own.list, strict=True)
        least, most = zip(*(one.kind.places(one, inner) for one, inner in pairs), strict=True)
        return np.stack([np.max(least, axis=0), np.min(most, axis=0)])
