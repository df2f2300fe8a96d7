"""A made-up box of water for timings: 64 molecules at the density of the liquid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from frames import write_frames

MOLECULE = np.array([[0.0, 0.0, 0.0], [0.757, 0.586, 0.0], [-0.757, 0.586, 0.0]])  # O H H, A
SPACING = 3.107  # A, one molecule in a cube of this edge is 1 g/cm^3
DENSITY = 3 / SPACING**3  # atoms per cubic A


def write_system(folder: Path, frames: int = 8, edge: int = 4, seed: int = 0) -> Path:
    """Write `frames` frames of edge^3 molecules to `folder` and return it."""
    rng = np.random.default_rng(seed)
    centres = np.stack(np.meshgrid(*[np.arange(edge)] * 3), -1).reshape(-1, 3) * SPACING
    coord = np.array([_frame(centres, rng) for _ in range(frames)]).reshape(frames, -1, 3)
    types = np.tile([0, 1, 1], edge**3)
    return write_frames(folder, coord, edge * SPACING, types, ("O", "H"), rng)


def _frame(centres: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    turns = np.linalg.qr(rng.normal(size=(len(centres), 3, 3)))[0]
    noise = rng.normal(0, 0.1, (len(centres), 1, 3))
    return centres[:, None] + noise + MOLECULE @ turns


def standard_input(system: Path, steps: int, precision: str = "float64", batch: int = 1) -> dict:
    """Return the input that water models are usually trained with, for deeptf and deepmd-kit."""
    return {
        "model": {
            "type_map": ["O", "H"],
            "descriptor": {
                "type": "se_e2_a",
                "sel": [46, 92],
                "rcut": 6.0,
                "rcut_smth": 0.5,
                "neuron": [25, 50, 100],
                "axis_neuron": 16,
                "type_one_side": True,
                "precision": precision,
                "seed": 1,
            },
            "fitting_net": {"neuron": [240, 240, 240], "precision": precision, "seed": 1},
        },
        "learning_rate": {"type": "exp", "start_lr": 1e-3, "stop_lr": 3.51e-8, "decay_steps": 5000},
        "loss": {
            "start_pref_e": 0.02,
            "limit_pref_e": 1,
            "start_pref_f": 1000,
            "limit_pref_f": 1,
            "start_pref_v": 0,
            "limit_pref_v": 0,
        },
        "training": {
            "training_data": {"systems": [str(system)], "batch_size": batch},
            "numb_steps": steps,
            "seed": 1,
            "disp_freq": 100,
            "save_freq": steps,
        },
    }
