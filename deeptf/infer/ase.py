"""ASE calculator: frozen models drive ASE's dynamics, optimizers, bands and phonons.

    stress = -virial / volume,  symmetrised, Voigt order xx yy zz yz xz xy, eV/A^3
    born_effective_charges[i, a, b] = d dipole_a / d r_ib

Directions without periodic images get a cell vector so long that no image lies within the cut-off.

Pairs are found anew in each evaluation. That is about 5 % of its time (water, aluminium), of which
a list with a skin, whose pairs must be measured in every step all the same, would save a part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

try:
    from ase import Atoms
    from ase.calculators.calculator import (
        Calculator,
        all_changes,
        external_calculators,
        register_calculator_class,
    )
    from ase.data import atomic_numbers
    from ase.geometry import complete_cell
except ModuleNotFoundError as error:
    raise ImportError("the calculator must have ASE: pip install 'deeptf[ase]'") from error

from deeptf.infer.deep_model import DeepModel
from deeptf.infer.deep_pot import DeepPot
from deeptf.infer.deep_tensor import DeepDipole
from deeptf.infer.deviation import Levels
from deeptf.infer.ensemble import Ensemble, deviation_of_found
from deeptf.infer.keywords import check_keywords

NAME = "deeptf"  # in ASE, where `get_calculator_class` finds it once this module is imported
DEVIATION = "deviation"
_UNKNOWN = -2  # type of an element that the model does not have
_STATE = ("positions", "numbers", "cell", "pbc")  # of atoms; what else there is changes nothing
_VOIGT = [0, 4, 8, 5, 2, 1]  # xx yy zz yz xz xy in [9]
_TRANSPOSED = [0, 4, 8, 7, 6, 3]
_OF_DIPOLE = ("dipole", "born_effective_charges")
_PARAMETERS = ("fparam", "aparam")  # of models, in `info` or `arrays` of atoms


class DP(Calculator):
    """Calculator of a frozen model, or of several ones.

    model : path of the `.pb`, or an open DeepPot; of several ones, in a list, the first gives all
        results, and they have "deviation" too: how much the models disagree about the force on each
        atom (deviation.py), [N] in eV/A
    label : name of the calculator in ASE
    type_dict : chemical symbol -> type of the model; default: the model's type_map
    neighbor_list, head, nlist_backend : of deepmd-kit, None and "auto"
    threads : None takes all cores
    gpu : "auto", "yes" or "no", as of DeepPot
    dipole : path of a model of dipoles, or an open DeepDipole, which gives "dipole" [3] and
        "born_effective_charges" [N, 3, 3], where they are asked for, in the units of its data (ASE
        calls them e A and e). Its type_map names the elements, or else `type_dict` does
    others : `atoms` and `directory` of ASE's calculators

    A copy has a DeepPot of its own where it is deep or pickled, and shares it otherwise.

    A model with frame or atom parameters reads `atoms.info["fparam"]` and `atoms.arrays["aparam"]`
    (or `atoms.info["aparam"]`). Stress needs three cell vectors.
    """

    name = "DP"
    implemented_properties: ClassVar[list[str]] = [
        "energy",
        "free_energy",
        "forces",
        "stress",
        "energies",
        "stresses",
    ]
    ignored_changes: ClassVar[set[str]] = {"initial_charges", "initial_magmoms"}

    def __init__(
        self,
        model: str | Path | DeepPot | Sequence[str | Path | DeepPot],
        label: str = "DP",
        type_dict: Mapping[str, int] | None = None,
        neighbor_list: None = None,
        head: None = None,
        nlist_backend: str = "auto",
        threads: int | None = None,
        gpu: str = "auto",
        dipole: str | Path | DeepDipole | None = None,
        **others: Any,
    ) -> None:
        if not isinstance(label, str):
            raise ValueError(f"`label` must be text, got {label!r}; `type_dict` needs its keyword")
        of_ase = {name: others.pop(name) for name in ("atoms", "directory") if name in others}
        foreign = {"neighbor_list": neighbor_list, "head": head, "nlist_backend": nlist_backend}
        check_keywords(DP.__init__, {**others, **foreign}, *foreign)
        super().__init__(label=label, **of_ase)
        models = [model] if isinstance(model, str | Path | DeepPot) else model
        self._ensemble = Ensemble(
            [one if isinstance(one, DeepPot) else DeepPot(one, threads, gpu=gpu) for one in models]
        )
        self.pot = self._ensemble.models[0]
        if self.pot.get_ntypes_spin():
            raise ValueError(
                f"`model` must be one without spins, got {self.pot.path}: ASE has no place for "
                "their virtual atoms; `DeepPot.eval` takes them, and LAMMPS moves them with "
                "`atom_style spin` and `pair_style deepspin`"
            )
        if len(models) > 1:
            self.implemented_properties = [*self.implemented_properties, DEVIATION]
        self.type_dict = _types_of_symbols(type_dict, self.pot)
        self._types = _with_numbers(self.type_dict)
        self._dipole = None
        if dipole is not None:
            self.implemented_properties = [*self.implemented_properties, *_OF_DIPOLE]
            is_open = isinstance(dipole, DeepDipole)
            self._dipole = dipole if is_open else DeepDipole(dipole, threads, gpu=gpu)
            given = None if self._dipole.names_types() else type_dict
            self._dipole_types = _with_numbers(_types_of_symbols(given, self._dipole))

    def set(self, **changes: Any) -> dict[str, Any]:
        """Refuse changes: the calculator is what it was made as."""
        if changes:
            raise ValueError(
                f"`{next(iter(changes))}` must be given when the calculator is made, got a change "
                "of it: make a new one"
            )
        return {}

    def check_state(self, atoms: Atoms, tol: float = 1e-15) -> list[str]:
        """Return what differs from the last calculation, parameters of the model included.

        Any difference counts, whatever `tol`.
        """
        if self.atoms is None:
            return [*all_changes]
        before = self.atoms
        of_atoms = [name for name in _STATE if _differ(before, atoms, name, getattr)]
        return of_atoms + [name for name in _PARAMETERS if _differ(before, atoms, name, _parameter)]

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = all_changes,
    ) -> None:
        """Evaluate `atoms`; per-atom values only when `properties` ask for them."""
        super().calculate(atoms, properties, system_changes)
        atoms = self.atoms
        atomic = "energies" in properties or "stresses" in properties
        frame = self.frame(atoms)
        found = self._ensemble.eval(**frame, atomic=atomic)
        energy, force, virial, *rest = (values[0, 0] for values in found)
        self.results = {
            "energy": float(energy[0]),
            "free_energy": float(energy[0]),
            "forces": force,
        }
        if DEVIATION in self.implemented_properties:
            deviation = deviation_of_found(found, frame["atom_types"], Levels())
            self.results[DEVIATION] = deviation.force[0]
        volume = atoms.cell.volume
        if volume > 0:
            self.results["stress"] = _stress(virial, volume)
        if atomic:
            atom_energy, atom_virial = rest
            self.results["energies"] = atom_energy[:, 0]
            if volume > 0:
                self.results["stresses"] = _stress(atom_virial, volume)
        wanted = [name for name in _OF_DIPOLE if name in properties]
        if self._dipole is not None and wanted:
            self.results |= self._dipoles(atoms, with_charges=wanted != ["dipole"])

    def frame(self, atoms: Atoms) -> dict[str, Any]:
        """Return atoms by the names that DeepPot.eval gives to what it takes."""
        return {
            **_geometry(atoms, self.pot, self._types),
            "fparam": _parameter(atoms, "fparam") if self.pot.get_dim_fparam() else None,
            "aparam": _parameter(atoms, "aparam") if self.pot.get_dim_aparam() else None,
        }

    def _dipoles(self, atoms: Atoms, with_charges: bool) -> dict[str, np.ndarray]:
        """Return the dipole, and with_charges its derivatives."""
        frame = _geometry(atoms, self._dipole, self._dipole_types)
        if not with_charges:
            return {"dipole": self._dipole.eval(**frame, atomic=False)[0]}
        dipole, force, _ = self._dipole.eval_full(**frame)
        return {"dipole": dipole[0], "born_effective_charges": -force[0].transpose(1, 0, 2)}


class _Types(NamedTuple):
    """The types of a model, by chemical symbol and by atomic number."""

    of_symbol: Mapping[str, int]
    of_number: np.ndarray


def _geometry(atoms: Atoms, model: DeepModel, known: _Types) -> dict[str, Any]:
    """Return coordinates, cell and types of atoms as a model takes them."""
    types = known.of_number[atoms.numbers]
    if types.min(initial=0) == _UNKNOWN:
        unknown = sorted(set(atoms.get_chemical_symbols()) - set(known.of_symbol))
        raise ValueError(
            f"`atoms` must hold elements of the model {model.path} ({' '.join(known.of_symbol)}), "
            f"got {' '.join(unknown)}; `type_dict` gives other names to its types"
        )
    cell = periodic_cell(atoms, model.get_rcut())
    return {
        "coords": atoms.positions.reshape(1, -1),
        "cells": None if cell is None else cell.reshape(1, 9),
        "atom_types": types,
    }


def _types_of_symbols(given: Mapping[str, int] | None, pot: DeepModel) -> dict[str, int]:
    """Return the type of each symbol: the given ones, else those that the model names."""
    last = pot.get_ntypes() - 1
    if not given:
        if not pot.names_types():
            raise ValueError(
                "`type_dict` must be given, symbols with types from 0 to "
                f"{last}: the model {pot.path} has no names of its types"
            )
        return {symbol: t for t, symbol in enumerate(pot.get_type_map())}
    for symbol, number in given.items():
        whole = isinstance(number, Integral) and not isinstance(number, bool)
        if not whole or not -1 <= number <= last:
            raise ValueError(
                f"`type_dict` must hold types from 0 to {last}, or -1 for no atom, got "
                f"{number!r} for {symbol}"
            )
    return {symbol: int(number) for symbol, number in given.items()}


def _with_numbers(of_symbols: Mapping[str, int]) -> _Types:
    """Return types of symbols with those of atomic numbers."""
    types = np.full(1 + max(atomic_numbers.values()), _UNKNOWN, np.int32)
    for symbol, number in of_symbols.items():
        if symbol in atomic_numbers:
            types[atomic_numbers[symbol]] = number
    return _Types(of_symbols, types)


def periodic_cell(atoms: Atoms, rcut: float) -> np.ndarray | None:
    """Return the cell [3, 3] in A for the model, or None where no direction is periodic.

    A direction that is not periodic gets a vector, at right angles to the others, that keeps
    images farther than `rcut` from every atom. Raises ValueError where a periodic direction has no
    cell vector.
    """
    if not atoms.pbc.any():
        return None
    cell = np.array(atoms.cell)
    if not cell[atoms.pbc].any(axis=1).all():
        raise ValueError(
            f"`atoms` must have a cell vector in every periodic direction, got pbc "
            f"{atoms.pbc.tolist()} and cell {cell.tolist()}"
        )
    if atoms.pbc.all():
        return cell
    cell[~atoms.pbc] = 0
    cell = complete_cell(cell)
    for axis in np.flatnonzero(~atoms.pbc):
        cell[axis] *= np.ptp(atoms.positions @ cell[axis]) + rcut + 1.0
    return cell


def _differ(one: Atoms, other: Atoms, name: str, of: Callable[[Atoms, str], Any]) -> bool:
    before, now = of(one, name), of(other, name)
    return before is not now and not np.array_equal(before, now)


def _parameter(atoms: Atoms, name: str) -> Any:
    return atoms.arrays[name] if name in atoms.arrays else atoms.info.get(name)


def _stress(virial: np.ndarray, volume: float) -> np.ndarray:
    """Return -virial / volume [..., 6] of virials [..., 9]."""
    return (virial[..., _VOIGT] + virial[..., _TRANSPOSED]) * (-0.5 / volume)


if NAME not in external_calculators:  # the module may be imported anew
    register_calculator_class(NAME, DP)
