"""Makes the ethanol data: one molecule without a cell at 500 K, with PBE/def2-SVP forces.

    python generate.py            all three steps, going on where an earlier run stopped
    python generate.py sample     geometries: Langevin dynamics with GFN2-xTB (tblite)
    python generate.py label      labels: PBE energy and forces with density fitting (pySCF)
    python generate.py convert    data/train and data/validation from the labels that exist

Ten independent trajectories take turns, so the held-out tenth is one of them, which training has
never seen. GFN2-xTB only proposes geometries, it leaves no trace in the labels.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).resolve()
sys.path.insert(0, str(SCRIPT.parents[1]))

from common import command_line  # noqa: E402

TEMPERATURE = 500.0
TRAJECTORIES = 10
FRAMES_PER_TRAJECTORY = 50
EQUILIBRATION_STEPS = 1000
STEPS_BETWEEN_FRAMES = 100
TYPE_MAP = ("H", "C", "O")


def molecule():  # noqa: ANN201 - the type needs the import below
    """Ethanol as ASE knows it; gives the order of the atoms."""
    from ase.build import molecule as build

    return build("CH3CH2OH")


def trajectory(seed: int) -> np.ndarray:
    """Frames 50 fs apart of one Langevin run of its own; [frames, atoms, 3] in angstrom."""
    from ase import units
    from ase.md.langevin import Langevin
    from ase.md.velocitydistribution import MaxwellBoltzmannDistribution
    from tblite.ase import TBLite

    generator = np.random.default_rng(seed)
    atoms = molecule()
    atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
    MaxwellBoltzmannDistribution(atoms, temperature_K=TEMPERATURE, rng=generator)
    dynamics = Langevin(
        atoms, 0.5 * units.fs, temperature_K=TEMPERATURE, friction=0.02, rng=generator
    )
    dynamics.run(EQUILIBRATION_STEPS)
    frames = []
    for _ in range(FRAMES_PER_TRAJECTORY):
        dynamics.run(STEPS_BETWEEN_FRAMES)
        frames.append(atoms.positions.copy())
    return np.array(frames)


def sample() -> dict[str, np.ndarray]:
    """Coordinates of all frames; frame i comes from trajectory i modulo ten."""
    runs = []
    for seed in range(TRAJECTORIES):
        runs.append(trajectory(seed))
        print(f"sampled trajectory {seed + 1} of {TRAJECTORIES}", flush=True)
    return {"coord": np.stack(runs, axis=1).reshape(-1, *runs[0].shape[1:])}


def energy_and_force(
    symbols: list[str],
    positions: np.ndarray,
    grid_level: int = 3,
    fitted: bool = True,
    basis: str = "def2-svp",
) -> tuple[float, np.ndarray]:
    """Energy (eV) and forces (eV/A, with the derivative of the grid) of PBE in a basis."""
    from pyscf import dft, gto
    from pyscf.data.nist import BOHR, HARTREE2EV

    field = dft.RKS(gto.M(atom=list(zip(symbols, positions, strict=True)), basis=basis))
    if fitted:
        field = field.density_fit()
    field.verbose = 0
    field.xc = "pbe"
    field.grids.level = grid_level
    field.conv_tol = 1e-9
    energy = field.kernel()
    if not field.converged:
        raise RuntimeError("the self-consistent field did not converge")
    gradient = field.nuc_grad_method()
    gradient.grid_response = True
    return energy * HARTREE2EV, -gradient.kernel() * HARTREE2EV / BOHR


def label(work: Path, frame: int, geometries: dict[str, np.ndarray]) -> str:
    """Label one frame unless it is done; says what came of it."""
    path = work / f"frame_{frame:03d}.npz"
    if path.exists():
        return ""
    coord = geometries["coord"][frame]
    energy, force = energy_and_force(molecule().get_chemical_symbols(), coord)
    temporary = path.with_suffix(".part.npz")
    np.savez(temporary, coord=coord, energy=energy, force=force)
    temporary.replace(path)
    return "labelled"


def read(paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Coordinates (A), energies (eV) and forces (eV/A) of labels."""
    frames = [dict(np.load(path)) for path in paths]
    return {key: np.array([f[key] for f in frames]) for key in ("coord", "energy", "force")}


def main() -> None:
    """Run the step that the command line names, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    command_line.add_common_options(parser, SCRIPT, TRAJECTORIES * FRAMES_PER_TRAJECTORY)
    parser.add_argument("--threads", type=int, default=1, help="of pySCF")
    options = parser.parse_args()

    def label_frame(frame: int, geometries: dict[str, np.ndarray]) -> str:
        from pyscf import lib

        lib.num_threads(options.threads)
        return label(options.work, frame, geometries)

    symbols = molecule().get_chemical_symbols()
    example = command_line.Example(
        SCRIPT, symbols, TYPE_MAP, sample, label_frame, suffix=".npz", read=read
    )
    command_line.run_steps(options, example)


if __name__ == "__main__":
    main()
