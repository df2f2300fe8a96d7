"""A structure file, from which dynamics, relaxations and i-PI runs start: read and checked.

ASE reads it (extra `ase`), the last frame where it holds several. Lengths are in A.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deeptf.infer.deep_pot import DeepPot

if TYPE_CHECKING:
    from ase import Atoms

OLDEST_ASE = (3, 25)  # with all integrators
OVERLAP = 0.5  # of the sum of two covalent radii; bonds are 0.75 to 1.3 of it
_INFO = ("fparam", "aparam")
_ARRAYS = ("numbers", "positions", "momenta", "masses", "aparam")
_MOST_NAMED = 5  # pairs in a message


def check_ase(command: str) -> None:
    """Raise ValueError where ASE is not installed, or too old."""
    there = importlib.util.find_spec("ase") is not None
    release = version("ase") if there else "none"
    if not there or tuple(map(int, release.split(".")[:2])) < OLDEST_ASE:
        oldest = ".".join(map(str, OLDEST_ASE))
        raise ValueError(
            f"`deeptf {command}` must have ASE {oldest} or newer, got {release}: "
            "pip install 'deeptf[ase]'"
        )


def read_structure(path: str | Path) -> Atoms:
    """Return the last frame of a file, with what dynamics and models need of it.

    That is cell, fixed atoms, velocities, masses and the parameters "fparam" and "aparam". Raises
    ValueError where it cannot be read or where atoms overlap, OSError where it is missing.
    """
    from ase.io import read

    if not Path(path).exists():
        raise FileNotFoundError(2, "no such structure file", str(path))
    try:
        atoms = read(path)
    except Exception as error:  # each format raises its own
        raise ValueError(
            f"`structure` must be a file that ASE reads, got {path} "
            f"({type(error).__name__}: {error})"
        ) from error
    if not len(atoms):
        raise ValueError(f"`structure` must have atoms, got none in {path}")
    check_overlap(atoms, str(path))
    atoms.info = {name: atoms.info[name] for name in _INFO if name in atoms.info}
    for name in set(atoms.arrays).difference(_ARRAYS):
        del atoms.arrays[name]
    return atoms


def open_structure(path: str | Path, pot: DeepPot, supercell: Sequence[int] = (1, 1, 1)) -> Atoms:
    """Return the last frame of a file with the calculator of a model; raises as read_structure.

    supercell : copies along each cell vector. Velocities are left out where there are several:
        copies that move alike would do so for ever
    """
    from deeptf.infer.ase import DP

    atoms = read_structure(path)
    check_elements(atoms, str(path), pot)
    if any(number != 1 for number in supercell):
        atoms = _repeated(atoms, str(path), supercell)
    atoms.calc = DP(pot)
    return atoms


def _repeated(atoms: Atoms, path: str, supercell: Sequence[int]) -> Atoms:
    if min(supercell) < 1:
        raise ValueError(
            f"`supercell` must be three numbers of copies, at least 1, got {[*supercell]}"
        )
    if any(
        number > 1 and not periodic for number, periodic in zip(supercell, atoms.pbc, strict=True)
    ):
        raise ValueError(
            f"`supercell` must repeat periodic directions only, got {[*supercell]} for pbc "
            f"{atoms.pbc.tolist()} in {path}"
        )
    atoms.arrays.pop("momenta", None)
    return atoms.repeat(tuple(supercell))


def check_overlap(atoms: Atoms, path: str) -> None:
    """Raise ValueError, naming pairs, where atoms are far closer than any bond is long."""
    from ase.neighborlist import natural_cutoffs, neighbor_list

    first, second, distance = neighbor_list("ijd", atoms, natural_cutoffs(atoms, mult=OVERLAP))
    once = first <= second  # an atom may overlap with its own image
    if not once.any():
        return
    order = np.argsort(distance[once], kind="stable")[:_MOST_NAMED]
    symbols = atoms.get_chemical_symbols()
    found = [values[once][order] for values in (first, second, distance)]
    named = ", ".join(
        f"{symbols[i]} {i} and {symbols[j]} {j} ({d:.3f} A)" for i, j, d in zip(*found, strict=True)
    )
    raise ValueError(
        f"`structure` must have its atoms apart, got {once.sum()} overlapping pairs in {path}: "
        f"{named}, atoms counted from 0; is the cell the right one?"
    )


def check_elements(atoms: Atoms, path: str, pot: DeepPot) -> None:
    """Raise ValueError for an element that the model does not have."""
    elements = pot.get_type_map()
    unknown = sorted(set(atoms.get_chemical_symbols()) - set(elements))
    if pot.names_types() and unknown:
        raise ValueError(
            f"`structure` must hold elements of the model {pot.path} ({' '.join(elements)}), got "
            f"{' '.join(unknown)} in {path}"
        )


def check_cell(atoms: Atoms, path: str, purpose: str) -> None:
    """Raise ValueError for atoms whose cell cannot change."""
    if not atoms.pbc.all() or not atoms.cell.volume:
        raise ValueError(
            f"`structure` must have a cell with three periodic directions for {purpose}, got pbc "
            f"{atoms.pbc.tolist()} and cell {atoms.cell.tolist()} in {path}"
        )
    if atoms.constraints:
        raise ValueError(f"`structure` must have no fixed atoms for {purpose}, got some in {path}")


def check_new(*paths: Path, advice: str = "") -> None:
    """Raise ValueError where there is a file already."""
    for path in paths:
        if path.exists():
            raise ValueError(f"`output` must be a new name, got {path}, which exists{advice}")
