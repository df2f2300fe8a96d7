"""Which systems `systems` of the input file means.

A list names the systems. A string is a folder that is searched at any depth for systems, folders
with type.raw, or an HDF5 file that is searched for groups; `file.hdf5#/group` is one system.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deeptf.data.storage import HDF5_SUFFIXES, DataError, hdf5_systems
from deeptf.data.system import System


def find_systems(systems: str | Sequence[str], patterns: Sequence[str] | None = None) -> list[str]:
    """Return the paths of systems, at least one.

    patterns : `rglob_patterns`, glob patterns below the folder `systems`; what matches is a system.
    """
    if not isinstance(systems, str):
        found = [path for name in systems for path in _expand_hdf5(name)]
    elif systems.endswith(HDF5_SUFFIXES) or "#" in systems:
        found = _expand_hdf5(systems)
    else:
        root = Path(systems)
        if not root.is_dir():
            raise DataError(
                f"`systems` must be a folder or a list of folders, got {systems!r}: no such folder"
            )
        folders = (
            _matching(root, patterns) if patterns else [f.parent for f in root.rglob("type.raw")]
        )
        found = sorted({str(folder) for folder in folders})
    if not found:
        raise DataError(
            f"`systems` must name at least one system (a folder with type.raw), "
            f"got none in {systems!r}"
        )
    return found


def open_systems(
    systems: str | Sequence[str],
    type_map: Sequence[str] | None = None,
    numb_fparam: int = 0,
    numb_aparam: int = 0,
    patterns: Sequence[str] | None = None,
) -> list[System]:
    """Return the systems that `systems` means, with the types of the model."""
    paths = find_systems(systems, patterns)
    return [System(path, type_map, numb_fparam, numb_aparam) for path in paths]


def _expand_hdf5(path: str) -> list[str]:
    if path.endswith(HDF5_SUFFIXES) and "#" not in path:
        return hdf5_systems(path)
    return [path]


def _matching(root: Path, patterns: Sequence[str]) -> list[Path]:
    return [folder for pattern in patterns for folder in root.rglob(pattern) if folder.is_dir()]
