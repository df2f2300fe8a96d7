"""Evaluate the models in a folder through every door of the engine, in a process of its own:

    python run_models.py FOLDER TENSORFLOW

Writes FOLDER/found.npz, arrays by MODEL/DOOR/RESULT. Prints the messages of models that cannot be
loaded, KIND: MESSAGE, and `native without TensorFlow` where no library of it was open until then.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from c_interface import Model
from neighbors import list_of, pairs_of


def system():
    """Return two frames: a cell of ten atoms, one of them virtual, and a cluster of four."""
    rng = np.random.default_rng(4)
    grid = np.stack(np.meshgrid([0, 1], [0, 1], [0, 1, 2], indexing="ij"), -1).reshape(-1, 3)[:10]
    coord = np.concatenate([grid * [3, 3, 2.1], grid[:4] * 2.0]) + rng.uniform(-0.2, 0.2, (14, 3))
    coord[12] = coord[13] + [0.3, 0.4, 0.1]  # closer than the data
    cell = np.array([[[5.9, 0, 0], [1.1, 5.6, 0], [-0.7, 0.9, 6.3]], np.zeros((3, 3))])
    types = np.array([0, 1, 0, 1, 1, -1, 0, 1, 0, 1, 1, 0, 1, 0], np.int32)
    return {"coord": coord, "cell": cell, "type": types, "frame_row": [0, 10, 14]}


def parameters(path, frame=slice(None), atoms=slice(None)):
    """Return the parameters that a model takes, none by its name."""
    if "parameters" not in path.stem:
        return {}
    rng = np.random.default_rng(9)
    fparam, aparam = rng.normal(size=(2, 2)), rng.normal(size=(14, 1))
    return {
        "fparam": np.ascontiguousarray(fparam[frame]),
        "aparam": np.ascontiguousarray(aparam[atoms]),
    }


def fold(found, owners, num_atoms):
    """Add what ghosts got to their atoms."""
    for name in ("force", "atom_virial"):
        total = np.zeros((num_atoms, found[name].shape[1]))
        np.add.at(total, owners, found[name])
        found[name] = total
    assert not found["atom_energy"][num_atoms:].any()
    found["atom_energy"] = found["atom_energy"][:num_atoms]
    return found


def evaluate(path, model, most_atoms=0):
    """Return the results of a model through all doors that it has."""
    frames = system()
    rcut = 2.5 if "message" in path.stem else 4.0
    hops = 2 if "message" in path.stem or "hops" in path.stem else 1
    options = {"most_atoms": most_atoms, "threads": 1 if most_atoms else 2}
    found = {"frames": model.evaluate(**frames, **parameters(path), **options)}
    if "whole" in path.stem:
        return found
    coord, cell, types = frames["coord"][:10], frames["cell"][0], frames["type"][:10]
    row, neighbor, displacement = pairs_of(coord, cell, rcut)
    pairs = {"type": types, "row": row, "neighbor": neighbor, "displacement": displacement}
    first = parameters(path, slice(1), slice(10))
    found["pairs"] = model.evaluate_pairs(num_owned=10, **pairs, **first, **options)
    given, owners = list_of(coord, cell, types, rcut, hops)
    if first:
        first["aparam"] = np.ascontiguousarray(first["aparam"][owners[: given["num_centres"]]])
    found["list"] = fold(model.evaluate_list(**given, **first, **options), owners, 10)
    given["num_owned"] = 4
    found["owned"] = fold(model.evaluate_list(**given, **first, **options), owners, 10)
    return found


def message_of(path, **options):
    try:
        Model(path, **options)
    except ValueError as error:
        return str(error)
    return "none"


def main(folder, tensorflow):
    """Evaluate native models first."""
    found = {}
    for path in sorted(folder.glob("*.native.pb")):
        model = Model(path)
        assert model.is_native
        found[path.stem] = evaluate(path, model)
    if "tensorflow" not in Path("/proc/self/maps").read_text():
        print("native without TensorFlow")
    path = folder / "golden.pb"
    print("missing:", message_of(path, tensorflow=folder / "libtensorflow.so.2"))
    print("foreign:", message_of(path, tensorflow="libm.so.6"))
    print("no ops:", message_of(path, tensorflow=tensorflow, ops=folder / "libdeeptf.so"))
    for kind in ("another", "old", "release"):
        print(f"{kind}:", message_of(path, tensorflow=tensorflow, ops=folder / f"{kind}.so"))
    for path in sorted(set(folder.glob("*.pb")) - set(folder.glob("*.native.pb"))):
        model = Model(path, tensorflow=tensorflow)
        assert not model.is_native
        found[path.stem] = evaluate(path, model)
        found[f"{path.stem}.cut"] = evaluate(path, model, most_atoms=3)
    path = folder / "golden.pb"
    print("second:", message_of(path, tensorflow=folder / "libtensorflow.so.2"))
    arrays = {
        f"{model}/{door}/{name}": value
        for model, doors in found.items()
        for door, results in doors.items()
        for name, value in results.items()
    }
    np.savez(folder / "found.npz", **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
