"""A made-up system of six atoms and an input that trains on it in seconds, for tests of runs."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np

TYPES = [0, 1, 1, 0, 1, 1]
SPIN: dict[str, Any] = {"use_spin": [True, False], "virtual_len": [0.3], "spin_norm": [1.2]}
SPIN_LOSS = {"type": "ener_spin", "start_pref_v": 0.1, "limit_pref_v": 0.1}

INPUT: dict[str, Any] = {
    "model": {
        "type_map": ["A", "B"],
        "descriptor": {
            "type": "se_e2_a",
            "sel": [8, 16],
            "rcut": 3.5,
            "rcut_smth": 1.0,
            "neuron": [4, 8],
            "axis_neuron": 2,
        },
        "fitting_net": {"neuron": [8, 8]},
    },
    "learning_rate": {"type": "exp", "start_lr": 0.01, "stop_lr": 0.001, "decay_steps": 5},
    "loss": {"start_pref_v": 0.1, "limit_pref_v": 0.1},
    "training": {
        "training_data": {"systems": ["system"], "batch_size": 2},
        "numb_steps": 20,
        "disp_freq": 5,
        "save_freq": 10,
        "seed": 1,
    },
}


def write_system(folder: Path, frames: int = 6, seed: int = 0, **labels: np.ndarray) -> Path:
    """Write a system whose atoms are tied to their places by springs; `labels` adds or replaces."""
    rng = np.random.default_rng(seed)
    cell = np.array([[5.2, 0, 0], [0.6, 4.9, 0], [-0.3, 0.4, 5.5]])
    places = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)][:6]) / 2 @ cell
    shift = rng.normal(0, 0.15, (frames, 6, 3))
    data = {
        "coord": (places + shift).reshape(frames, -1),
        "box": np.tile(cell.ravel(), (frames, 1)),
        "energy": -30.0 + (shift**2).sum(axis=(1, 2)),
        "force": (-2 * shift).reshape(frames, -1),
        "virial": rng.normal(0, 0.1, (frames, 9)),
        **labels,
    }
    (folder / "set.000").mkdir(parents=True)
    np.savetxt(folder / "type.raw", TYPES, fmt="%d")
    (folder / "type_map.raw").write_text("A\nB\n")
    for name, value in data.items():
        np.save(folder / "set.000" / f"{name}.npy", value)
    return folder


def write_spin_system(folder: Path, frames: int) -> Path:
    """Write the same system with spins of both atoms of the first type."""
    system = write_system(folder, frames)
    random, sets = np.random.default_rng(3), system / "set.000"
    spin = random.normal(size=(frames, 2, 3))
    away = SPIN["virtual_len"][0] * spin / np.linalg.norm(spin, axis=2, keepdims=True)
    own = [k for k, t in enumerate(TYPES) if t == 0]
    coord, force = (np.load(sets / f"{n}.npy").reshape(frames, -1, 3) for n in ("coord", "force"))
    coord = np.concatenate([coord, coord[:, own] + away], axis=1)
    np.save(sets / "coord.npy", coord.reshape(frames, -1))
    force = np.concatenate([force, random.normal(size=away.shape)], axis=1)
    np.save(sets / "force.npy", force.reshape(frames, -1))
    np.savetxt(system / "type.raw", [*TYPES, 2, 2], fmt="%d")
    (system / "type_map.raw").unlink()
    return system


def changed_input(changes: dict[str, Any]) -> dict[str, Any]:
    """Return INPUT with keys replaced; a key is a path such as "training/seed"."""
    script = copy.deepcopy(INPUT)
    for path, value in changes.items():
        *sections, key = path.split("/")
        place = script
        for section in sections:
            place = place.setdefault(section, {})
        place[key] = value
    return script


def write_run(folder: Path, changes: dict[str, Any] | None = None) -> Path:
    """Write the system (unless it is there) and the input; return the path of the input."""
    if not (folder / "system").exists():
        write_system(folder / "system")
    path = folder / "input.json"
    path.write_text(json.dumps(changed_input(changes or {})))
    return path


def write_elements(folder: Path, changes: dict[str, Any]) -> Path:
    """Write a run whose types have the names of elements."""
    path = write_run(folder, {"model/type_map": ["C", "H"], **changes})
    (folder / "system" / "type_map.raw").write_text("C\nH\n")
    return path


def write_table(path: Path, first: float = 0.5) -> None:
    """Write energies of the pairs of two types, from `first` to 3.5 A."""
    r = np.arange(first, 3.55, 0.05)
    columns = [k * np.exp(-r) * (1 - r / r[-1]) ** 2 for k in (1.0, 2.0, 3.0)]
    np.savetxt(path, np.stack([r, *columns], axis=1), fmt="%.10f")
