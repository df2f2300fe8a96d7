"""Reads pw.x outputs by dpdata, reads and writes data sets with every tenth frame held out.

Energies are float64 (a total energy of 1e4 eV in float32 is rounded by 1e-3 eV), types int32, all
other arrays float32, whose rounding (1e-6 eV/A for a force of 10 eV/A) is far below the errors of
the labels.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

HELD_OUT_EVERY = 10
PARTS = ("train", "validation")
KINDS = {"energy": np.float64, "real_atom_types": np.int32}  # of arrays that are not float32


def split(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the training frames, and of the held-out ones: 9, 19, 29 ... of `number`."""
    frames = np.arange(number)
    held_out = frames % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    return frames[~held_out], frames[held_out]


def write_system(
    folder: Path,
    symbols: Sequence[str],
    type_map: Sequence[str],
    arrays: Mapping[str, np.ndarray],
) -> None:
    """Write one system; `arrays` maps coord, energy, force (and box, virial) to [frames, ...].

    Without a box the system is marked as one without a periodic cell. `real_atom_types`
    [frames, atoms] gives each frame types of its own (`deepmd/npy/mixed`).
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "set.000").mkdir(parents=True)
    (folder / "type.raw").write_text("".join(f"{type_map.index(s)}\n" for s in symbols))
    (folder / "type_map.raw").write_text("".join(f"{name}\n" for name in type_map))
    if "box" not in arrays:
        (folder / "nopbc").touch()
    for name, values in arrays.items():
        values = np.asarray(values, KINDS.get(name, np.float32))
        shape = (-1,) if name == "energy" else (len(values), -1)
        np.save(folder / "set.000" / f"{name}.npy", values.reshape(shape))


def write_split(
    folder: Path,
    symbols: Sequence[str],
    type_map: Sequence[str],
    arrays: Mapping[str, np.ndarray],
) -> None:
    """Write FOLDER/train and FOLDER/validation and say how many frames each has."""
    number = len(arrays["energy"])
    if number < HELD_OUT_EVERY:
        raise SystemExit(f"{number} labelled frames are too few: label at least {HELD_OUT_EVERY}")
    for name, frames in zip(PARTS, split(number), strict=True):
        chosen = {key: np.asarray(values)[frames] for key, values in arrays.items()}
        write_system(folder / name, symbols, type_map, chosen)
        print(f"wrote {len(frames)} frames into {folder / name}")


def count(folder: Path) -> int:
    """How many frames FOLDER/train and FOLDER/validation hold together; 0 if there are none."""
    paths = [folder / part / "set.000" / "energy.npy" for part in PARTS]
    return sum(len(np.load(path)) for path in paths) if all(p.exists() for p in paths) else 0


def read_split(folder: Path) -> dict[str, np.ndarray]:
    """The frames of both parts in the order in which they were labelled: undoes `write_split`."""
    merged: dict[str, np.ndarray] = {}
    for part, frames in zip(PARTS, split(count(folder)), strict=True):
        for path in (folder / part / "set.000").glob("*.npy"):
            values = np.load(path)
            if path.stem != "energy":
                values = values.reshape(len(values), -1, 3)
            empty = np.empty((count(folder), *values.shape[1:]), values.dtype)
            merged.setdefault(path.stem, empty)[frames] = values
    return merged


def read_pwscf(outputs: Sequence[Path]) -> dict[str, np.ndarray]:
    """Coordinates and cells (A), energies (eV), forces (eV/A) and virials (eV) of pw.x outputs."""
    import dpdata

    names = ("coords", "cells", "energies", "forces", "virials")
    frames = []
    for output in outputs:
        files = [str(output.with_suffix(".in")), str(output)]
        data = dpdata.LabeledSystem(files, fmt="qe/pw/scf").data
        frames.append([data[name][0] for name in names])
    columns = zip(*frames, strict=True)
    keys = ("coord", "box", "energy", "force", "virial")
    return {key: np.array(column) for key, column in zip(keys, columns, strict=True)}
