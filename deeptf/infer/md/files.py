"""Files of a run: trajectory and log, which grow, and the state from which it goes on.

    PREFIX.extxyz   frames with velocities, forces and energies
    PREFIX.log      a line of numbers for each sample
    PREFIX.restart  step, atoms, integrator and the lengths of the other two files

The state appears complete or not at all, and only after what it counts on is safely on the disk. A
run that goes on cuts the other files back to the lengths in it: what a killed run has written after
its last state, half a line say, is written again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from deeptf.files import replacing

if TYPE_CHECKING:
    from ase import Atoms

_ATOMS = ("numbers", "positions", "momenta")
_INTEGRATOR = "integrator/"


class State:
    """What a run goes on from: `told` [names -> values of JSON] and arrays."""

    def __init__(self, told: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.told, self.arrays = told, arrays

    @staticmethod
    def of(atoms: Atoms, integrator: Mapping[str, np.ndarray], **told: Any) -> State:
        """Return the state of atoms and integrator; `told` may hold anything of JSON."""
        arrays = {name: atoms.arrays[name].copy() for name in _ATOMS}
        arrays["cell"] = np.array(atoms.cell)
        arrays |= {_INTEGRATOR + name: value for name, value in integrator.items()}
        return State(told, arrays)

    @staticmethod
    def read(path: Path) -> State:
        """Read a state; ValueError where the file is none."""
        try:
            with np.load(path) as stored:
                arrays = dict(stored)
            return State(json.loads(arrays.pop("told").item()), arrays)
        except (ValueError, KeyError, OSError, EOFError, BadZipFile) as error:
            raise ValueError(
                f"`{path}` must be the state of a run, got another file ({error}); begin a new run "
                "from the last frame of the trajectory with another `output`"
            ) from None

    def write(self, path: Path) -> None:
        """Replace the state at `path`."""
        with replacing(path) as stream:
            np.savez(stream, told=np.array(json.dumps(self.told)), **self.arrays)

    def set_atoms(self, atoms: Atoms, structure: str) -> None:
        """Put atoms where they were; ValueError where they are others."""
        if not np.array_equal(atoms.numbers, self.arrays["numbers"]):
            raise ValueError(
                "`structure` and `supercell` must be those of the run that goes on, got other "
                f"atoms in {structure}"
            )
        atoms.set_cell(self.arrays["cell"])
        atoms.arrays["positions"][...] = self.arrays["positions"]
        atoms.set_array("momenta", self.arrays["momenta"], float, (3,))

    def integrator(self) -> dict[str, np.ndarray]:
        """Return the numbers of the integrator."""
        return {
            name.removeprefix(_INTEGRATOR): value
            for name, value in self.arrays.items()
            if name.startswith(_INTEGRATOR)
        }


class GrowingFile:
    """A text file that only grows.

    length : bytes of a file that is there which are kept, None for a new file
    """

    def __init__(self, path: Path, length: int | None) -> None:
        if length is None:
            path.parent.mkdir(parents=True, exist_ok=True)
        elif not path.exists() or path.stat().st_size < length:
            raise ValueError(
                f"`{path}` must have the {length} bytes that its run had written, got a file that "
                "is shorter or missing"
            )
        self.stream: IO[str] = open(path, "x" if length is None else "r+")
        self.stream.seek(length or 0)
        self.stream.truncate()

    def close(self) -> None:
        """Close the file."""
        self.stream.close()

    def save(self) -> int:
        """Wait until all is on the disk and return the length in bytes."""
        self.stream.flush()
        os.fsync(self.stream.fileno())
        return os.fstat(self.stream.fileno()).st_size
