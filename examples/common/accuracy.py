"""How good labels are: the same frames with tighter settings, and finite differences.

Differences of energies between settings are given after their mean is taken off, because a constant
per atom says nothing about a potential.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from common import dataset, pwscf

DISPLACEMENT = 0.01  # angstrom
STRAIN = 0.003
GPA = 160.21766208  # GPa of one eV per cubic angstrom


def report(
    name: str, atoms: int, reference: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]
) -> None:
    """Print the differences of energy, force and pressure between two labels of the same frames."""
    energy = (other["energy"] - reference["energy"]) / atoms * 1000
    spread = np.abs(energy - energy.mean()).max()
    force = other["force"] - reference["force"]
    size = np.sqrt(np.mean(np.square(reference["force"])))
    line = f"{name}: {len(energy)} frames, energy {energy.mean():.2f} +- {spread:.2f} meV/atom, "
    line += f"force rms {np.sqrt(np.mean(force**2)):.4f} (of {size:.2f}), "
    line += f"largest {np.abs(force).max():.4f} eV/A"
    if "virial" in reference:
        volume = np.abs(np.linalg.det(reference["box"]))[:, None, None]
        stress = (other["virial"] - reference["virial"]) / volume * GPA
        line += f", stress rms {np.sqrt(np.mean(stress**2)):.3f} GPa"
    print(line, flush=True)


def compare_settings(
    options: argparse.Namespace,
    settings: pwscf.Settings,
    variants: Mapping[str, Mapping[str, object]],
    symbols: Sequence[str],
) -> None:
    """Label `options.frames` again with each variant, in a folder of its own below the labels."""
    with np.load(options.work / "geometries.npz") as file:
        geometries = dict(file)
    names = [f"frame_{frame:03d}.out" for frame in options.frames]
    reference = dataset.read_pwscf([options.work / name for name in names])
    for variant, changes in variants.items():
        folder = options.work / variant.replace(" ", "_")
        folder.mkdir(exist_ok=True)
        place = argparse.Namespace(**{**vars(options), "work": folder})
        for frame in options.frames:
            pwscf.label(place, replace(settings, **changes), symbols, frame, geometries)
        other = dataset.read_pwscf([folder / name for name in names])
        report(variant, len(symbols), reference, other)


def finite_differences(
    options: argparse.Namespace, settings: pwscf.Settings, symbols: Sequence[str]
) -> None:
    """Compare one force and one diagonal virial with energies of displaced and strained frames."""
    with np.load(options.work / "geometries.npz") as file:
        geometries = dict(file)
    folder = options.work / "differences"
    folder.mkdir(exist_ok=True)
    place = argparse.Namespace(**{**vars(options), "work": folder})
    frame = options.frames[0]
    coord, box = geometries["coord"][frame], geometries["box"][frame]
    shift, stretch = np.zeros_like(coord), np.diag([STRAIN, 0.0, 0.0])
    shift[0, 0] = DISPLACEMENT
    moved = {
        "coord": [coord - shift, coord + shift, coord - coord @ stretch, coord + coord @ stretch],
        "box": [box, box, box - box @ stretch, box + box @ stretch],
    }
    for row in range(4):
        pwscf.label(place, settings, symbols, row, moved)
    energy = dataset.read_pwscf([folder / f"frame_{row:03d}.out" for row in range(4)])["energy"]
    label = dataset.read_pwscf([options.work / f"frame_{frame:03d}.out"])
    force = (energy[0] - energy[1]) / (2 * DISPLACEMENT)
    virial = (energy[2] - energy[3]) / (2 * STRAIN)
    print(
        f"force of atom 0 along x: label {label['force'][0, 0, 0]:.5f}, energies {force:.5f} eV/A"
    )
    print(f"virial xx: label {label['virial'][0, 0, 0]:.3f}, energies {virial:.3f} eV", flush=True)


def parse(description: str, script: Path, frames: Sequence[int]) -> argparse.Namespace:
    """The options of an accuracy script."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--frames", type=int, nargs="+", default=list(frames))
    parser.add_argument("--work", type=Path, default=script.parent / "work", help="raw labels")
    pwscf.add_options(parser)
    options = parser.parse_args()
    options.work = options.work.resolve()
    return options
