"""Which systems `systems` of the input file means.

Each entry of the list, or the one string, is a folder that is searched at any depth for systems
(folders with type.raw, itself included), an HDF5 file that is searched for groups, or one group of
such a file, `file.hdf5#/group`. Links are followed; a folder that is reached twice is searched
once, and a link to a system counts beside the system itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from deeptf.data.errors import DataError
from deeptf.data.hdf5 import hdf5_systems, names_hdf5, split_hdf5
from deeptf.data.system import System
from deeptf.data.types import unnamed_types


def find_systems(systems: str | Sequence[str], patterns: Sequence[str] | None = None) -> list[str]:
    """Return the paths of systems, at least one for each entry, sorted within an entry.

    patterns : `rglob_patterns`, glob patterns below a folder that its systems must match.
    """
    entries = [systems] if isinstance(systems, str) else systems
    found = [path for entry in entries for path in _expand(entry, patterns)]
    if not found:
        raise DataError(
            f"`systems` must name at least one system (a folder with type.raw), "
            f"got none in {systems!r}"
        )
    return found


def find_type_map(paths: Sequence[str], least: int = 0) -> tuple[tuple[str, ...], str]:
    """Return names for all types of the systems at `paths`, and where they are from.

    The first system that has names gives them; where none has, types are called by their numbers.

    least : least number of types in the latter case.
    """
    count = least
    for path in paths:
        system = System(path)
        if system.type_map:
            return system.type_map, f"from {path}"
        count = max(count, system.num_types())
    return unnamed_types(count), "since no system has a type_map.raw to name the numbers"


def _expand(entry: str, patterns: Sequence[str] | None) -> list[str]:
    """Return the systems of one entry."""
    if os.path.isdir(entry):
        root = Path(entry)
        found = list(_folders_with_types(root))
        if patterns is not None:
            parts = [folder.relative_to(root).parts for folder in found]
            found = [f for f, p in zip(found, parts, strict=True) if _matches_one(p, patterns)]
        result = sorted(str(folder) for folder in found)
    elif not names_hdf5(entry) or not os.path.isfile(split_hdf5(entry)[0]):
        raise DataError(
            f"`systems` must name folders or HDF5 files, got {entry!r}: no such folder or file"
        )
    elif split_hdf5(entry)[1]:
        return [entry]
    else:
        result = hdf5_systems(split_hdf5(entry)[0])
    if not result:
        wanted = "a group" if not os.path.isdir(entry) else "a folder"
        matching = f" that matches rglob_patterns {list(patterns)}" if patterns is not None else ""
        raise DataError(
            f"`systems` must name at least one system ({wanted} with type.raw{matching}), "
            f"got none in {entry!r}"
        )
    return result


def _folders_with_types(root: Path) -> Iterator[Path]:
    """Yield the folders with type.raw, readable or not, from `root` down; links are followed."""
    seen: set[str] = set()
    for path, names, files in os.walk(root, followlinks=True, onerror=_refuse):
        place, is_system = os.path.realpath(path), "type.raw" in (*names, *files)
        if place in seen:
            names.clear()
            if is_system and os.path.islink(path) and not _within(path, place):
                yield Path(path)
            continue
        seen.add(place)
        names[:] = sorted(n for n in names if not (is_system and n.startswith("set.")))
        if not is_system:
            _refuse_lost_links(Path(path), files)
        if is_system:
            yield Path(path)


def _refuse_lost_links(folder: Path, files: Sequence[str]) -> None:
    """Raise DataError for a link to nothing, which may have been a system; hidden ones are not."""
    for path in (folder / name for name in sorted(files) if not name.startswith(".")):
        if path.is_symlink() and not path.exists():
            raise DataError(
                f"`systems` must name folders without broken links, got {str(path)!r}, a link to "
                f"{os.readlink(path)!r}, which does not exist; repair or remove it"
            )


def _within(link: str, place: str) -> bool:
    """Return whether a link lies in the folder that it leads to."""
    return os.path.commonpath([os.path.realpath(os.path.dirname(link)), place]) == place


def _refuse(error: OSError) -> None:
    raise DataError(
        f"`systems` must name folders that can be read, got {error.filename!r}: {error.strerror}"
    ) from error


def _matches_one(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    return any(_matches(parts, ("**", *Path(pattern).parts)) for pattern in patterns)


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    """Return whether the parts of a path match those of a glob pattern; `**` is any number."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[k:], pattern[1:]) for k in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])
