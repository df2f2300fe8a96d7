"""Makes the water data: 16 molecules in a periodic box, with PBE-D3 forces and virials.

    python generate.py            all three steps, going on where an earlier run stopped
    python generate.py sample     geometries: dynamics of flexible SPC/Fw-like water (LAMMPS)
    python generate.py label      labels: PBE-D3 energy, forces and virial (Quantum ESPRESSO)
    python generate.py convert    data/train and data/validation from the labels that exist

The classical water only proposes geometries, it leaves no trace in the labels.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).resolve()
sys.path.insert(0, str(SCRIPT.parents[1]))

from common import pwscf  # noqa: E402
from common.lammps_engine import open_lammps  # noqa: E402

MOLECULES = 16
FRAMES = 150
SYMBOLS = ["O", "H", "H"] * MOLECULES
TYPE_MAP = ("O", "H")
# (temperature in K, density in g/cm3), one independent trajectory each; they take turns
CONDITIONS = (
    (330, 1.00),
    (330, 0.95),
    (400, 1.00),
    (330, 1.05),
    (400, 0.92),
    (300, 1.00),
    (450, 1.05),
)
BOND, ANGLE = (
    0.985,
    106.5,
)  # the equilibrium geometry of the classical molecule, angstrom and degrees
SETTINGS = pwscf.Settings(
    pseudopotentials={"O": "O.pbe-kjpaw.UPF", "H": "H.pbe-kjpaw.UPF"},
    system={
        "ecutwfc": "40",
        "ecutrho": "200",
        "vdw_corr": "'dft-d3'",
        "dftd3_threebody": ".false.",  # the usual D3; the triples would double the cost of a frame
    },
    electrons={"conv_thr": "1e-7", "mixing_beta": "0.7"},
)
DYNAMICS = """units real
atom_style full
atom_modify map array
pair_style lj/cut/coul/long {cutoff}
bond_style harmonic
angle_style harmonic
kspace_style pppm 1e-4
read_data {data}
pair_coeff 1 1 0.1554253 3.165492
pair_coeff 1 2 0 1
pair_coeff 2 2 0 1
bond_coeff 1 529.581 {bond}
angle_coeff 1 37.95 {angle}
minimize 1e-4 1e-6 500 5000
velocity all create {temperature} {seed}
fix bath all langevin {temperature} {temperature} 100 {seed}
fix motion all nve
timestep 0.5
run 20000"""


def random_rotation(generator: np.random.Generator) -> np.ndarray:
    """A uniformly random orthogonal matrix, from the QR factors of normal numbers."""
    factor, upper = np.linalg.qr(generator.normal(size=(3, 3)))
    return factor * np.sign(np.diag(upper))


def random_box(density: float, generator: np.random.Generator) -> tuple[float, np.ndarray]:
    """Edge (A) and coordinates of randomly turned molecules on a cubic grid."""
    edge = (MOLECULES * 18.01528 / 0.602214076 / density) ** (1 / 3)
    per_edge = int(np.ceil(MOLECULES ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(per_edge)] * 3), axis=-1).reshape(-1, 3)
    centres = generator.permutation(grid)[:MOLECULES] * edge / per_edge
    half = np.radians(ANGLE / 2)
    x, z = BOND * np.sin(half), BOND * np.cos(half)
    shape = np.array([[0, 0, 0], [x, 0, z], [-x, 0, z]])
    return edge, np.concatenate([c + shape @ random_rotation(generator) for c in centres])


def data_file(edge: float, coord: np.ndarray) -> str:
    """The box as a LAMMPS data file with bonds and angles; O first in every molecule."""
    atoms = [
        f"{i + 1} {i // 3 + 1} {1 if i % 3 == 0 else 2} {-0.82 if i % 3 == 0 else 0.41} "
        + "{:.8f} {:.8f} {:.8f}".format(*position)
        for i, position in enumerate(coord)
    ]
    oxygens = [3 * m + 1 for m in range(MOLECULES)]
    bonds = [(o, o + k) for o in oxygens for k in (1, 2)]
    sections = {
        "Masses": ["1 15.9994", "2 1.008"],
        "Atoms": atoms,
        "Bonds": [f"{i + 1} 1 {a} {b}" for i, (a, b) in enumerate(bonds)],
        "Angles": [f"{i + 1} 1 {o + 1} {o} {o + 2}" for i, o in enumerate(oxygens)],
    }
    head = f"water\n\n{len(coord)} atoms\n{len(bonds)} bonds\n{len(oxygens)} angles\n"
    head += "2 atom types\n1 bond types\n1 angle types\n"
    head += "".join(f"0 {edge} {axis}lo {axis}hi\n" for axis in "xyz")
    return head + "".join(f"\n{k}\n\n" + "\n".join(v) + "\n" for k, v in sections.items())


def trajectory(
    temperature: float, density: float, count: int, seed: int
) -> tuple[float, np.ndarray]:
    """Edge of the box and `count` frames 1 ps apart of one constant-volume run, not wrapped."""
    edge, coord = random_box(density, np.random.default_rng(seed))
    engine = open_lammps()
    with tempfile.NamedTemporaryFile("w", suffix=".data") as file:
        file.write(data_file(edge, coord))
        file.flush()
        engine.commands_string(
            DYNAMICS.format(
                cutoff=min(9.0, 0.99 * edge),
                data=file.name,
                bond=BOND,
                angle=ANGLE,
                temperature=temperature,
                seed=seed,
            )
        )
    frames = []
    for _ in range(count):
        engine.command("run 2000")
        frames.append(np.array(engine.gather_atoms("x", 1, 3)).reshape(-1, 3))
    engine.close()
    return edge, np.array(frames)


def sample() -> dict[str, np.ndarray]:
    """Coordinates and cells of all frames; frame i comes from condition i modulo their number."""
    rounds = -(-FRAMES // len(CONDITIONS))
    runs = [trajectory(*condition, rounds, seed=1 + i) for i, condition in enumerate(CONDITIONS)]
    coord = [frames[i] for i in range(rounds) for _, frames in runs]
    box = [np.eye(3) * edge for _ in range(rounds) for edge, _ in runs]
    return {"coord": np.array(coord[:FRAMES]), "box": np.array(box[:FRAMES])}


if __name__ == "__main__":
    description = __doc__.splitlines()[0]
    pwscf.generate(description, SCRIPT, (SYMBOLS, TYPE_MAP), SETTINGS, FRAMES, sample)
