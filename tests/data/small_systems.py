"""Writes small systems of known numbers in the formats that users have."""

import h5py
import numpy as np

from deeptf.data.find import find_systems
from deeptf.data.system import System

TYPES = [0, 1, 1]  # O H H
NAMES = ["O", "H"]


def arrays(num_frames, num_atoms=3, seed=0, labels=("energy", "force")):
    """Return arrays of a set, drawn from `seed`; the cell is a box of 5, 6 and 7 A."""
    random = np.random.default_rng(seed)
    widths = {"energy": 1, "force": 3 * num_atoms, "virial": 9}
    widths |= {"atom_ener": num_atoms, "atom_pref": num_atoms, "fparam": 2, "aparam": num_atoms}
    data = {"coord": random.uniform(0, 5, (num_frames, 3 * num_atoms))}
    data["box"] = np.tile(np.diag([5.0, 6.0, 7.0]).ravel(), (num_frames, 1))
    for label in labels:
        data[label] = random.normal(size=(num_frames, widths[label]))
    if "energy" in data:
        data["energy"] = data["energy"][:, 0]
    return data


def write_folder(path, sets, types=TYPES, names=NAMES, nopbc=False):
    """Write a folder; `sets` is a list of dictionaries of arrays."""
    path.mkdir(parents=True, exist_ok=True)
    (path / "type.raw").write_text("\n".join(map(str, types)) + "\n")
    if names is not None:
        (path / "type_map.raw").write_text("\n".join(names) + "\n")
    if nopbc:
        (path / "nopbc").touch()
    for number, data in enumerate(sets):
        folder = path / f"set.{number:03d}"
        folder.mkdir()
        for name, array in data.items():
            np.save(folder / f"{name}.npy", array)
    return path


def write_hdf5(file, group, sets, types=TYPES, names=NAMES):
    """Write a group of an HDF5 file."""
    with h5py.File(file, "a") as root:
        node = root.create_group(group)
        node["type.raw"] = np.array(types)
        node["type_map.raw"] = np.array(names, dtype=h5py.string_dtype())
        for number, data in enumerate(sets):
            for name, array in data.items():
                node[f"set.{number:03d}/{name}.npy"] = array
    return f"{file}#/{group}"


def open_all(systems, type_map=NAMES):
    """Return the systems that `systems` of an input file means."""
    return [System(path, type_map) for path in find_systems(systems)]
