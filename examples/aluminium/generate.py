"""Makes the aluminium data: 32-atom cells, solid and liquid, with LDA forces and virials.

    python generate.py            all three steps, going on where an earlier run stopped
    python generate.py sample     geometries: dynamics with a Morse potential (LAMMPS), strain
    python generate.py label      labels: LDA energy, forces and virial (Quantum ESPRESSO)
    python generate.py convert    data/train and data/validation from the labels that exist

The Morse potential only proposes geometries, it leaves no trace in the labels.
"""

import sys
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).resolve()
sys.path.insert(0, str(SCRIPT.parents[1]))

from common import pwscf  # noqa: E402
from common.lammps_engine import open_lammps  # noqa: E402

SYMBOLS = ["Al"] * 32
TYPE_MAP = ("Al",)
FRAMES_PER_CONDITION = 10
MAX_STRAIN = 0.03
# (temperature in K, cubic lattice constant in angstrom, molten first?)
CONDITIONS = (
    (300, 3.97, False),
    (2000, 4.12, True),
    (600, 4.02, False),
    (1200, 4.08, True),
    (900, 4.06, False),
    (3000, 4.22, True),
    (300, 4.06, False),
    (1500, 4.05, True),
    (1200, 4.02, False),
    (2500, 4.05, True),
    (600, 3.88, False),
    (1800, 4.20, True),
    (900, 4.14, False),
    (3000, 4.10, True),
    (450, 3.95, False),
)
SETTINGS = pwscf.Settings(
    pseudopotentials={"Al": "Al.pz-vbc.UPF"},
    system={
        "ecutwfc": "20",
        "ecutrho": "80",
        "occupations": "'smearing'",
        "smearing": "'mv'",
        # Wide on purpose: with 0.02 Ry these k-points give shear stresses of the wrong sign.
        "degauss": "0.10",
        "nbnd": "72",
    },
    electrons={"conv_thr": "1e-7", "mixing_beta": "0.4"},
    kpoints=(2, 2, 2, 1, 1, 1),
)
# Girifalco and Weizer's Morse parameters of aluminium: eV, 1/A, A.
DYNAMICS = """units metal
atom_modify map array
lattice fcc {constant}
region cell block 0 2 0 2 0 2
create_box 1 cell
create_atoms 1 box
mass 1 26.982
pair_style morse 6.5
pair_coeff * * 0.2703 1.1646 3.253
velocity all create {start} {seed}
fix bath all langevin {start} {start} 0.05 {seed}
fix motion all nve
timestep 0.002
run 5000
fix bath all langevin {temperature} {temperature} 0.05 {seed}
run 5000"""


def random_strain(generator: np.random.Generator) -> np.ndarray:
    """A symmetric deformation [3, 3] of a few per cent, to multiply row vectors with."""
    strain = generator.uniform(-MAX_STRAIN, MAX_STRAIN, size=(3, 3))
    return np.eye(3) + (strain + strain.T) / 2 * np.where(np.eye(3) > 0, 1.0, 0.7)


def trajectory(temperature: float, constant: float, molten: bool, seed: int) -> np.ndarray:
    """Frames [frames, atoms, 3] in angstrom, 4 ps apart, of one constant-volume run."""
    engine = open_lammps()
    start = 6000 if molten else temperature
    engine.commands_string(
        DYNAMICS.format(constant=constant, start=start, temperature=temperature, seed=seed)
    )
    frames = []
    for _ in range(FRAMES_PER_CONDITION):
        engine.command("run 2000")
        frames.append(np.array(engine.gather_atoms("x", 1, 3)).reshape(-1, 3))
    engine.close()
    return np.array(frames)


def sample() -> dict[str, np.ndarray]:
    """Coordinates and cells of all frames; every 15 of them hold each condition once."""
    generator = np.random.default_rng(2718)
    runs = [trajectory(*condition, seed=100 + i) for i, condition in enumerate(CONDITIONS)]
    coord, box = [], []
    for frame in range(FRAMES_PER_CONDITION):
        for condition in generator.permutation(len(CONDITIONS)):
            deformation = random_strain(generator)
            coord.append(runs[condition][frame] @ deformation)
            box.append(2 * CONDITIONS[condition][1] * deformation)
    return {"coord": np.array(coord), "box": np.array(box)}


if __name__ == "__main__":
    description = __doc__.splitlines()[0]
    frames = len(CONDITIONS) * FRAMES_PER_CONDITION
    pwscf.generate(description, SCRIPT, (SYMBOLS, TYPE_MAP), SETTINGS, frames, sample)
