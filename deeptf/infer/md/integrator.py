"""ASE's integrators: one for each ensemble, what they conserve, and their state as numbers.

Where no force acts on the system as a whole its momentum is zero and stays so: the temperature is
that of 3N - 3 degrees of freedom. ASE's chains of thermostats count 3N, so they are told that
number. A temperature smaller by (3N - 3) / 3N would give the right mean, but not the fluctuations:
the later links of a chain, one degree of freedom each, would have that temperature too. Langevin's
noise moves the system as a whole: 3N.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from ase import units
from ase.md.langevin import Langevin
from ase.md.nose_hoover_chain import IsotropicMTKNPT, NoseHooverChainNVT
from ase.md.verlet import VelocityVerlet

from deeptf.infer.md.settings import Settings

if TYPE_CHECKING:
    from ase import Atoms
    from ase.md.md import MolecularDynamics

BAR = 1e5 * units.Pascal
_NUMBERS = (float, np.floating, np.ndarray)
_OF_ASE = "ase.md."


def _free_cell() -> type[MolecularDynamics]:
    """Return the integrator with a cell that may take any shape; older releases have none."""
    try:
        from ase.md.nose_hoover_chain import MTKNPT
    except ImportError:
        raise ValueError(
            "`ensemble` npt-cell must have a newer ASE, got one whose barostat keeps the shape of "
            "the cell: pip install --upgrade ase"
        ) from None
    return MTKNPT


def degrees_of_freedom(atoms: Atoms, settings: Settings) -> int:
    """Return how many degrees of freedom the temperature has, at least 1."""
    free = atoms.get_number_of_degrees_of_freedom()  # without constrained ones
    if settings.ensemble != "langevin" and not atoms.constraints:
        free -= 3
    return max(free, 1)


def start_velocities(atoms: Atoms, settings: Settings) -> bool:
    """Give atoms without velocities those of the temperature; return whether it did so.

    The system as a whole stays where it is, unless atoms of it are fixed.
    """
    if atoms.get_momenta().any():
        return False
    generator = np.random.default_rng(settings.seed)
    mass = atoms.get_masses()[:, None]
    velocity = generator.standard_normal((len(atoms), 3)) / np.sqrt(mass)
    if not atoms.constraints and len(atoms) > 1:
        velocity -= (mass * velocity).sum(axis=0) / mass.sum()
    atoms.set_velocities(velocity)  # constraints take their share
    wanted = degrees_of_freedom(atoms, settings) * units.kB * settings.temperature / 2
    found = atoms.get_kinetic_energy()
    atoms.set_momenta(atoms.get_momenta() * (np.sqrt(wanted / found) if found else 0.0))
    return True


class Integrator:
    """An integrator of ASE on atoms that have a calculator and velocities."""

    def __init__(self, atoms: Atoms, settings: Settings) -> None:
        self.degrees = degrees_of_freedom(atoms, settings)
        self.generator = np.random.default_rng([settings.seed, 1])  # of noise
        self.dynamics = self._make(atoms, settings)

    def _make(self, atoms: Atoms, settings: Settings) -> MolecularDynamics:
        timestep, tdamp = settings.timestep * units.fs, settings.tdamp * units.fs
        if settings.ensemble == "nve":
            return VelocityVerlet(atoms, timestep)
        if settings.ensemble == "langevin":
            return Langevin(
                atoms,
                timestep,
                friction=1 / tdamp,
                fixcm=False,
                temperature_K=settings.temperature,
                rng=self.generator,
            )
        if settings.ensemble == "nvt":
            dynamics = NoseHooverChainNVT(atoms, timestep, settings.temperature, tdamp)
        else:
            barostat = IsotropicMTKNPT if settings.ensemble == "npt" else _free_cell()
            dynamics = barostat(
                atoms,
                timestep,
                settings.temperature,
                pressure_au=settings.pressure * BAR,
                tdamp=tdamp,
                pdamp=settings.pdamp * units.fs,
            )
        _count_degrees(dynamics, self.degrees)
        return dynamics

    def conserved_energy(self) -> float:
        """Return what the integrator keeps constant in eV; NaN for one with noise."""
        if isinstance(self.dynamics, VelocityVerlet):
            return self.dynamics.atoms.get_total_energy()
        if isinstance(self.dynamics, Langevin):
            return np.nan
        return self.dynamics.get_conserved_energy()

    def state(self) -> dict[str, np.ndarray]:
        """Return all numbers of the integrator and its parts, by name."""
        return {name: np.array(getattr(part, key)) for name, part, key in _numbers(self.dynamics)}

    def restore(self, state: Mapping[str, np.ndarray], step: int, noise: dict[str, Any]) -> None:
        """Go on after `step` from the numbers that `state` has returned.

        noise : state of the generator
        """
        self.dynamics.nsteps = step
        self.generator.bit_generator.state = noise
        for name, part, key in list(_numbers(self.dynamics)):
            if name not in state:
                raise ValueError(
                    "the state of a run must come from the same release of ASE, got one without "
                    f"`{name}` of {type(self.dynamics).__name__}"
                )
            value = state[name]
            setattr(part, key, value.copy() if value.ndim else value.item())


def _count_degrees(dynamics: MolecularDynamics, degrees: int) -> None:
    """Let the chain, and a pressure, count degrees of freedom instead of 3 for each atom."""
    try:
        chain = dynamics._thermostat
        chain._Q[0] *= degrees / (3 * chain._num_atoms_global)
        for part in (chain, dynamics) if hasattr(dynamics, "_barostat") else (chain,):
            part._num_atoms_global = degrees / 3
    except AttributeError as error:
        raise ValueError(
            "`ensemble` with a chain of thermostats must have an ASE from 3.25 to 3.29, or one "
            f"that counts as they do, got one in which {error}"
        ) from None


def _numbers(part: Any, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    """Yield name, owner and attribute of each number or array of an integrator and its parts."""
    for key, value in vars(part).items():
        if isinstance(value, _NUMBERS):
            yield prefix + key, part, key
        elif type(value).__module__.startswith(_OF_ASE):
            yield from _numbers(value, f"{prefix}{key}.")
