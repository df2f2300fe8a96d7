"""s(r): how strongly a neighbour at distance r counts (arXiv:1805.09003, eq. 5).

    s = 1/r [below rcut_smth],  (u^3 (-6 u^2 + 15 u - 10) + 1) / r [up to rcut],  0 [beyond]

with u = (r - rcut_smth) / (rcut - rcut_smth). The compiled form, which has derivatives too, is in
core/geometry.
"""

from __future__ import annotations

import numpy as np


def switch_over_distance(r: np.ndarray, rcut_smth: float, rcut: float) -> np.ndarray:
    """Return s at distances r in A, in 1/A and the shape of r."""
    u = np.clip((r - rcut_smth) / (rcut - rcut_smth), 0.0, 1.0)
    return (u**3 * (-6.0 * u**2 + 15.0 * u - 10.0) + 1.0) / r
