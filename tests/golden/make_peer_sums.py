"""Make small frozen sums of models with deepmd-kit whose parts have tables of pair energies in
place of the nets where atoms are near, and its results on two frames with such atoms, as golden
numbers.

Run in an environment that has deepmd-kit 3.2.0 (TensorFlow backend) and not deeptf:

    python tests/golden/make_peer_sums.py [NAME ...]

The data, the units and the files that it writes are those of make_peer_models.py.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from make_peer_models import DESCRIPTOR, FITTING, SMALL, evaluate, make_data, write

TYPES = {"type_map": ["A", "B", "C"]}
BLEND = {"use_srtab": "pairs.tab", "smin_alpha": 0.25, "sw_rmin": 1.7, "sw_rmax": 3.1}
NETS = {"descriptor": DESCRIPTOR | SMALL | {"rcut": 4.1}, "fitting_net": FITTING | {"neuron": [4]}}
RADIAL = {
    "descriptor": {k: v for k, v in NETS["descriptor"].items() if k != "axis_neuron"}
    | {"type": "se_e2_r", "rcut": 3.6, "rcut_smth": 1.2},
    "fitting_net": NETS["fitting_net"],
}
# Models by the names of their files; those that others have as parts come first.
SUMS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "sum_of_blends": [
        (
            "inner.pb",
            NETS | BLEND | {"smin_alpha": 0.4, "sw_rmax": 2.8, "srtab_add_bias": False},
        ),
        (
            "frozen.pb",
            {
                "type": "linear_ener",
                "weights": [0.7, -0.4, 1.5],
                "models": [
                    RADIAL | BLEND | TYPES,
                    NETS | TYPES,
                    {"type": "frozen", "model_file": "inner.pb"},
                ],
            },
        ),
    ],
}


def write_table(path: Path) -> None:
    """Write energies of pairs of three types that fall from some eV at 0.9 A to 0 at 4 A."""
    r = 0.9 + 0.1 * np.arange(32)
    columns = [(k + 2) * np.exp(-r) * (1 - r / 4) ** 2 for k in range(6)]
    np.savetxt(path, np.stack([r, *columns], axis=1), fmt="%.12f")


def make_sum(name: str, folder: Path) -> Path:
    """Train and freeze the models of a sum; return the file of the last one."""
    write_table(folder / "pairs.tab")
    for number, (output, model) in enumerate(SUMS[name]):
        script = {
            "model": model | TYPES,
            "learning_rate": {"type": "exp", "start_lr": 0.01, "stop_lr": 0.001, "decay_steps": 10},
            "loss": {"start_pref_v": 1.0, "limit_pref_v": 1.0},
            "training": {
                "training_data": {"systems": [str(folder / "data")], "batch_size": 2},
                "numb_steps": 20,
                "save_ckpt": f"run{number}/model.ckpt",
                "seed": 3 + number,
            },
        }
        (folder / f"run{number}").mkdir()
        (folder / "input.json").write_text(json.dumps(script))
        commands = [
            ["train", "--skip-neighbor-stat", "input.json"],
            ["freeze", "-c", f"run{number}", "-o", output],
        ]
        for command in commands:
            subprocess.run(["dp", "--tf", *command], cwd=folder, check=True)
    return folder / output


def main() -> None:
    """Make the models that are named, or all."""
    for name in sys.argv[1:] or SUMS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            data = make_data(folder / "data", np.random.default_rng(7))
            model = make_sum(name, folder)
            data["coord"][:2, 3:6] = data["coord"][:2, :3] + [0.9, 0.7, -0.4]  # nearer than trained
            write(name, model, evaluate(model, data, {}))


if __name__ == "__main__":
    main()
