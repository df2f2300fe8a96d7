"""Two workers take the same step as one with the frames of both, of each kind of model."""

from pathlib import Path

import launch
import numpy as np
from random_model import random_arrays
from small_run import INPUT, SPIN, SPIN_LOSS, write_run, write_spin_system, write_system

from deeptf.config import load
from deeptf.exchange import frozen
from deeptf.model.model import ModelConfig

FRAMES = 6
PROGRAM = Path(__file__).parent / "same_losses.py"
PART = {key: INPUT["model"][key] for key in ("descriptor", "fitting_net")}
RADIAL = {"type": "se_e2_r", "sel": [8, 16], "rcut": 3.0, "neuron": [4]}
SUM = {
    "type": "linear_ener",
    "type_map": ["A", "B"],
    "models": [PART, {**PART, "descriptor": RADIAL}],
    "weights": "sum",
}
CHARGES = {
    "type": "dipole_charge",
    "model_name": "../dipole.pb",
    "model_charge_map": [-2.0],
    "sys_charge_map": [1.5, 0.5],
    "ewald_beta": 0.4,
    "ewald_h": 1.5,
}
DIPOLES = {"type": "dipole", "sel_type": [0], "neuron": [6, 6]}
TENSOR = {"type": "tensor", "pref": 0.5, "pref_atomic": 1.0}
DOS = {"type": "dos", "start_pref_dos": 0.5, "limit_pref_cdf": 0.1, "start_pref_ados": 0.2}
KINDS = {
    "spin": {"model/spin": SPIN, "loss": SPIN_LOSS},
    "sum": {"model": SUM},
    "modifier": {"model/modifier": CHARGES},
    "dipole": {"model/fitting_net": DIPOLES, "loss": TENSOR},
    "polar": {"model/fitting_net": {"type": "polar", "neuron": [6, 6]}, "loss": TENSOR},
    "dos": {"model/fitting_net": {"type": "dos", "numb_dos": 4, "neuron": [6, 6]}, "loss": DOS},
}
FIRST = {"optimizer/adam_beta1": 0.0}  # moments are gradients


def labels(kind: str) -> dict[str, np.ndarray]:
    """Return labels of the frames and of the atoms that have some."""
    random, matrix = np.random.default_rng(5), np.eye(3).ravel()
    atoms = {"dipole": (2, 3), "polar": (6, 9), "dos": (6, 4)}.get(kind)
    if atoms is None:
        return {}
    shares = random.uniform(size=(FRAMES, *atoms))
    if kind == "polar":
        shares = shares[:, :, :1] * matrix
    name, of_atoms = {
        "dipole": ("dipole", "atomic_dipole"),
        "polar": ("polarizability", "atomic_polarizability"),
        "dos": ("dos", "atom_dos"),
    }[kind]
    return {name: shares.sum(axis=1), of_atoms: shares.reshape(FRAMES, -1)}


def written(folder: Path) -> list[Path]:
    """Write a run of each kind in a folder of its own."""
    config = load(ModelConfig, {**INPUT["model"], "fitting_net": DIPOLES}, "model")
    frozen.write(config, random_arrays(config), folder / "dipole.pb")
    for kind, changes in KINDS.items():
        if kind == "spin":
            write_spin_system(folder / kind / "system", FRAMES)
        else:
            write_system(folder / kind / "system", FRAMES, **labels(kind))
        write_run(folder / kind, changes | FIRST)
    return [folder / kind for kind in KINDS]


def test_losses_and_gradients_of_the_large_batch(tmp_path: Path) -> None:
    done = launch.run("gloo", PROGRAM, *written(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in KINDS:
        assert done.stdout.count(f"same loss in {kind}\n") == 2
