"""Measures the accuracy of the ethanol labels: grid, density fitting, basis, finite differences.

Run it after `generate.py label`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from common import accuracy  # noqa: E402
from generate import energy_and_force, molecule  # noqa: E402

DISPLACEMENT = 0.002  # angstrom
VARIANTS = {
    "grid level 5": {"grid_level": 5},
    "no density fitting": {"fitted": False},
    "def2-TZVP": {"basis": "def2-tzvp"},
}


def main() -> None:
    """Print the differences of a few frames."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--work", type=Path, default=Path(__file__).resolve().parent / "work")
    options = parser.parse_args()
    symbols = molecule().get_chemical_symbols()
    labels = [dict(np.load(options.work / f"frame_{i:03d}.npz")) for i in options.frames]
    reference = {key: np.array([label[key] for label in labels]) for key in labels[0]}
    shift = np.zeros_like(reference["coord"][0])
    shift[0, 0] = DISPLACEMENT
    ends = [energy_and_force(symbols, labels[0]["coord"] + s)[0] for s in (-shift, shift)]
    force = (ends[0] - ends[1]) / (2 * DISPLACEMENT)
    label = labels[0]["force"][0, 0]
    print(f"force of atom 0 along x: label {label:.5f}, energies {force:.5f} eV/A", flush=True)
    for name, change in VARIANTS.items():
        pairs = [energy_and_force(symbols, coord, **change) for coord in reference["coord"]]
        energy, force = (np.array(column) for column in zip(*pairs, strict=True))
        other = {"energy": energy, "force": force}
        accuracy.report(name, len(symbols), reference, other)


if __name__ == "__main__":
    main()
