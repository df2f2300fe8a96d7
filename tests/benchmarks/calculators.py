"""A process with one potential as a calculator of ASE; potentials.py asks it.

    python calculators.py deeptf|calorine|nep-adapters MODEL FRAMES ATOMS

It evaluates all frames of an extended XYZ file and writes a line with the root mean squares of the
errors of the energy per atom (eV), of the force (eV/A) and of the virial per atom (eV). For each
line that comes in it evaluates a supercell of the first frame, of at least so many atoms, for a
while; the atoms move a little from one time to the next. It writes the number of atoms and the
median CPU time of an evaluation in s. One thread.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator
from ase.io import read

SECONDS = 1.0
LEAST = 3  # evaluations
FULL = [0, 5, 4, 5, 1, 3, 4, 3, 2]  # places of xx yy zz yz xz xy in a matrix


def calculator_of(kind: str, model: str) -> BaseCalculator:
    """Return the calculator of a potential."""
    if kind == "deeptf":
        from deeptf.infer.ase import DP

        return DP(model, threads=1)
    if kind == "calorine":
        from calorine.calculators import CPUNEP

        return CPUNEP(model)
    from nep_adapters.ase import NepAseCalculator

    return NepAseCalculator(model, backend="cpu")


def errors(frames: list[Atoms], calculator: BaseCalculator) -> list[float]:
    """Return the errors of energy, force and virial."""
    found: tuple[list, list, list] = ([], [], [])
    for atoms in frames:
        label = atoms.calc.results
        atoms.calc = calculator
        number, volume = len(atoms), atoms.cell.volume
        found[0].append((atoms.get_potential_energy() - label["energy"]) / number)
        found[1].append((atoms.get_forces() - label["forces"]).ravel())
        stress = atoms.get_stress() - label["stress"]
        found[2].append(stress[FULL] * volume / number)
    return [float(np.sqrt(np.mean(np.square(one)))) for one in found]


def main() -> None:
    """Tell errors, then times as often as asked."""
    kind, model, path, least = sys.argv[1:]
    frames = read(path, ":")
    calculator = calculator_of(kind, model)
    atoms = frames[0].copy()
    print("errors", *errors(frames, calculator), flush=True)
    axis = 0
    while len(atoms) < int(least):
        atoms = atoms.repeat([2 if k == axis % 3 else 1 for k in range(3)])
        axis += 1
    atoms.calc = calculator
    generator = np.random.default_rng(0)
    for _ in sys.stdin:
        times: list[float] = []
        while len(times) < LEAST or sum(times) < SECONDS:
            atoms.positions += generator.normal(0, 1e-4, (len(atoms), 3))
            begin = time.process_time()
            atoms.get_forces()
            times.append(time.process_time() - begin)
        print("time", len(atoms), float(np.median(times)), flush=True)


if __name__ == "__main__":
    main()
