"""Make small frozen models with deepmd-kit, and its results on four frames, as golden numbers for
`deeptf convert`.

Run in an environment that has deepmd-kit 3.2.0 (TensorFlow backend) and not deeptf:

    python tests/golden/make_peer_models.py [NAME ...]

Each model (all of them if none is named) trains a few steps on random frames of a made-up liquid,
so that all weights are in use; it writes NAME.pb.gz and NAME.npz (coordinates in A, energy in eV,
force in eV/A, virial in eV).
"""

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
TYPES = np.array([0, 1, 1, 2, 0, 1, 2, 2, 0, 1])
DESCRIPTOR = {
    "type": "se_e2_a",
    "sel": [4, 6, 5],
    "rcut": 4.8,
    "rcut_smth": 1.7,
    "neuron": [3, 6, 12],
    "axis_neuron": 4,
    "seed": 1,
}
FITTING = {"neuron": [8, 8, 8], "seed": 2}
SMALL = {"type_one_side": True, "neuron": [2, 4], "axis_neuron": 2}
MODELS = {
    "two_side": ({"resnet_dt": True, "activation_function": "gelu"}, {}),
    "one_side": ({"type_one_side": True, "exclude_types": [[0, 2]]}, {"resnet_dt": False}),
    "parameters": ({"type_one_side": True, "neuron": [6, 6]}, {"numb_fparam": 2, "numb_aparam": 1}),
    "atom_ener": ({"set_davg_zero": True}, {"atom_ener": [-1.5, None, 0.25]}),
    "atom_ener_mean": ({}, {"atom_ener": [-1.5, None, 0.25], "activation_function": "softplus"}),
    "float32": ({"precision": "float32"}, {"precision": "float32"}),
    "atom_ener_parameters": (
        {"type_one_side": True, "activation_function": "gelu_tf"},
        {
            "atom_ener": [-1.5, None, 0.25],
            "numb_fparam": 2,
            "numb_aparam": 1,
            "neuron": [6, 4, 4],
            "activation_function": "silu",
        },
    ),
    # Pairs of types 0 and 2 have the mean value in all columns of their rows.
    "attention": (
        {
            **SMALL,
            "type": "se_atten",
            "sel": 15,
            "attn": 5,
            "smooth_type_embedding": True,
            "set_davg_zero": False,
            "exclude_types": [[0, 2]],
        },
        {"neuron": [4]},
    ),
    # The same in a model with a table in place of the net.
    "compressed": (
        {
            **SMALL,
            "type": "se_atten_v2",
            "neuron": [4, 8],
            "sel": 15,
            "attn_layer": 0,
            "exclude_types": [[0, 2], [1, 1]],
        },
        {"neuron": [4]},
    ),
    "silut": (
        {**SMALL, "activation_function": "silut:0.4"},
        {"neuron": [6, 6], "activation_function": "silut"},
    ),
    # Pairs of lengths whose difference is rounded in float32.
    "switch_4_6": ({**SMALL, "rcut": 4.6, "rcut_smth": 0.6}, {"neuron": [4]}),
    "switch_6": ({**SMALL, "rcut": 6.0, "rcut_smth": 1.2, "sel": [12, 14, 12]}, {"neuron": [4]}),
    "switch_9": ({**SMALL, "rcut": 9.0, "rcut_smth": 1.8, "sel": [24, 28, 24]}, {"neuron": [4]}),
}


def make_data(folder: Path, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Write a system of eight frames and return its arrays; sel is exceeded in none of them."""
    n, atoms = 8, len(TYPES)
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), -1).reshape(-1, 3)[:atoms]
    data = {
        "coord": (grid * 2.6 + rng.normal(0, 0.2, (n, atoms, 3))).reshape(n, -1),
        "box": np.tile(np.array([9.3, 0, 0, 0.7, 9.1, 0, -0.4, 0.9, 9.6]), (n, 1)),
        "energy": rng.normal(-20, 1, n),
        "force": rng.normal(0, 1, (n, atoms * 3)),
        "virial": rng.normal(0, 1, (n, 9)),
        "fparam": rng.normal(1, 2, (n, 2)),
        "aparam": rng.normal(-1, 3, (n, atoms)),
    }
    (folder / "set.000").mkdir(parents=True)
    np.savetxt(folder / "type.raw", TYPES, fmt="%d")
    (folder / "type_map.raw").write_text("A\nB\nC\n")
    for name, value in data.items():
        np.save(folder / "set.000" / f"{name}.npy", value)
    return data


def make_model(name: str, folder: Path) -> Path:
    """Train and freeze one model; return the frozen file."""
    descriptor, fitting = MODELS[name]
    script = {
        "model": {
            "type_map": ["A", "B", "C"],
            "descriptor": DESCRIPTOR | descriptor,
            "fitting_net": FITTING | fitting,
        },
        "learning_rate": {"type": "exp", "start_lr": 0.01, "stop_lr": 0.001, "decay_steps": 10},
        "loss": {"start_pref_v": 1.0, "limit_pref_v": 1.0},
        "training": {
            "training_data": {"systems": [str(folder / "data")], "batch_size": 2},
            "numb_steps": 20,
            "seed": 3,
        },
    }
    (folder / "input.json").write_text(json.dumps(script))
    commands = [["train", "input.json"], ["freeze", "-o", "frozen.pb"]]
    if name == "compressed":
        commands.append(["compress", "-i", "frozen.pb", "-o", "compressed.pb", "-s", "0.1"])
    else:
        commands[0].append("--skip-neighbor-stat")
    for command in commands:
        subprocess.run(["dp", "--tf", *command], cwd=folder, check=True, capture_output=True)
    return folder / commands[-1][commands[-1].index("-o") + 1]


def evaluate(
    model: Path, data: dict[str, np.ndarray], fitting: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Return deepmd-kit's results on the first two frames, with and without the cell.

    fitting : section of the input, which says what parameters the model takes.
    """
    from deepmd.infer import DeepPot

    potential = DeepPot(str(model))
    extra = {key: data[key][:2] for key in ("fparam", "aparam") if fitting.get(f"numb_{key}")}
    golden = {"coord": data["coord"][:2], "cell": data["box"][:2], "type": TYPES, **extra}
    for label, cell in (("periodic", data["box"][:2]), ("open", None)):
        energy, force, virial, atom_energy, atom_virial = potential.eval(
            data["coord"][:2], cell, TYPES, atomic=True, **extra
        )
        golden |= {
            f"{label}_energy": energy,
            f"{label}_force": force,
            f"{label}_virial": virial,
            f"{label}_atom_energy": atom_energy,
            f"{label}_atom_virial": atom_virial,
        }
    return golden


def write(name: str, model: Path, golden: dict[str, np.ndarray]) -> None:
    """Write a model and its golden numbers beside this file."""
    with gzip.GzipFile(HERE / f"{name}.pb.gz", "wb", mtime=0) as stream:
        stream.write(model.read_bytes())
    np.savez_compressed(HERE / f"{name}.npz", **golden)
    print(name, golden["periodic_energy"].ravel(), flush=True)


def main() -> None:
    """Make the models that are named, or all."""
    for name in sys.argv[1:] or MODELS:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            data = make_data(folder / "data", np.random.default_rng(7))
            model = make_model(name, folder)
            golden = evaluate(model, data, MODELS[name][1])
            write(name, model, golden)


if __name__ == "__main__":
    main()
