"""Molecular dynamics of liquid aluminium with the trained model: `python md.py --lmp .../bin/lmp`.

Its g(r) stands beside that of the liquids in the data, which are at 1200 to 3000 K.
"""

import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from common import md  # noqa: E402

PLANES = [(2, 2, 2), (-2, 2, 2), (2, -2, 2), (2, 2, -2)]  # of fcc, in 2x2x2 cubic cells


def liquids(folder: Path) -> np.ndarray:
    """Return the frames without Bragg peaks."""
    coord, box = (np.load(folder / f"{name}.npy") for name in ("coord", "box"))
    places = coord.reshape(len(coord), -1, 3) @ np.linalg.inv(box.reshape(-1, 3, 3))
    waves = np.exp(2j * np.pi * places @ np.transpose(PLANES))
    return np.flatnonzero(abs(waves.mean(1)).mean(1) < 0.5)


def middle(folder: Path, frames: np.ndarray) -> int:
    """Return the one of the frames whose volume is nearest to their mean."""
    volume = np.linalg.det(np.load(folder / "box.npy").reshape(-1, 3, 3))[frames]
    return int(frames[abs(volume - volume.mean()).argmin()])


if __name__ == "__main__":
    data = HERE / "data" / "train" / "set.000"
    frames = liquids(data)
    settings = md.Settings(
        masses={"Al": 26.982},
        temperature=2000,
        timestep=0.002,
        steps=10000,
        first=middle(data, frames),
        farthest=6.0,
    )
    md.main(settings, HERE, frames)
