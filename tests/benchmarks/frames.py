"""Writes made-up frames for timings in deepmd/npy format; the labels are random."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np


def write_frames(
    folder: Path,
    coord: np.ndarray,
    edge: float,
    types: Sequence[int],
    names: Sequence[str],
    rng: np.random.Generator,
) -> Path:
    """Write frames of atoms in a cube and return the folder.

    coord : [F, N, 3] A; edge : of the cube, A; types : [N]; names : of the types.
    """
    frames, atoms = coord.shape[:2]
    data = {
        "coord": coord.reshape(frames, -1),
        "box": np.tile(np.eye(3).ravel() * edge, (frames, 1)),
        "energy": rng.normal(-52.0 * atoms, 1.0, frames),
        "force": rng.normal(0, 1, (frames, 3 * atoms)),
    }
    (folder / "set.000").mkdir(parents=True)
    np.savetxt(folder / "type.raw", types, fmt="%d")
    (folder / "type_map.raw").write_text("\n".join(names) + "\n")
    for name, value in data.items():
        np.save(folder / "set.000" / f"{name}.npy", value)
    return folder
