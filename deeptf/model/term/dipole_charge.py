"""Long-range term of charges at atoms and at Wannier centres, which a model of dipoles places.

Zhang et al., J. Chem. Phys. 156, 124107, 2022 (deep potential long-range, DPLR).

    E = ewald(q_i at x_i, Q_n at x_n + mu_n)        f = ewald forces on these sites
    F_i = f_i + f_n(i) + sum_n (dmu_n/dx_i)^T f_n
    W_ab = ewald virial + (dmu_n/dstrain)^T f_n - sum_n f_n,a mu_n,b

for atoms n of the types that have a dipole mu_n; f_n is the force on the centre of n. The sum is
that of ops/ewald.py. Of the energy an atom has q dE/dq / 2 of itself and of its centre, of the
virial half of the terms of both with all charges; what comes by dmu/dx counts for the neighbour.

It is the `modifier` of a model: the model is trained on labels without this part (train/labels.py),
and a frozen one adds it. Its dipole model is read from a file and stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple

import numpy as np

from deeptf.model import stages
from deeptf.model.doors import COORDINATES
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.stages import TermPlan
from deeptf.model.table import Table
from deeptf.model.term import TERMS
from deeptf.model.term.standard import Standard
from deeptf.model.term.term import Direct, Needs, TermOutputs
from deeptf.ops.ewald import Charges, ewald, ewald_site_virial
from deeptf.ops.pairs import SortedPairs
from deeptf.properties import ATOM_DIPOLE, ATOM_ENERGY
from deeptf.tf import tf


@dataclass(frozen=True)
class DipoleCharge:
    """Settings of the term; the fields are keys of the input file.

    model_name : file of the frozen model of dipoles, which is read when a run begins.
    model_charge_map : charges in e of the Wannier centres, in the order of `sel_type` of the model
        of dipoles; sys_charge_map : of the atoms, by type.
    ewald_beta, ewald_h : inverse width of the charges in 1/A, and spacing of the waves in A.
    dipole_model : settings of the model of dipoles; the file decides them.
    """

    type: ClassVar[str] = "dipole_charge"
    model_name: str
    model_charge_map: tuple[float, ...]
    sys_charge_map: tuple[float, ...]
    ewald_beta: float = 0.4
    ewald_h: float = 1.0
    dipole_model: Standard | None = field(
        default=None, metadata={"variants": TERMS, "default_type": Standard.type}
    )

    def __post_init__(self) -> None:
        for name in ("ewald_beta", "ewald_h"):
            if not getattr(self, name) > 0:
                raise ValueError(f"`{name}` must be positive, got {getattr(self, name)}")

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where there are not as many charges as types."""
        given = {"sys_charge_map": (self.sys_charge_map, num_types, "types")}
        if self.dipole_model is not None:
            self.dipole_model.check_types(num_types)
            chosen = len(self._chosen(num_types))
            given["model_charge_map"] = self.model_charge_map, chosen, "types with dipoles"
        for name, (charges, number, what) in given.items():
            if len(charges) != number:
                raise ValueError(
                    f"`{name}` must have a charge for each of the {number} {what}, got "
                    f"{list(charges)}"
                )

    def charges(self, num_types: int) -> np.ndarray:
        """Return the charge in e of an atom of each type and of its centre together, [T]."""
        found = np.array(self.sys_charge_map)
        found[self._chosen(num_types)] += self.model_charge_map
        return found

    def same_charges(self, other: DipoleCharge) -> bool:
        """Return whether another term has the same charges and waves."""
        return replace(other, model_name=self.model_name, dipole_model=self.dipole_model) == self

    def needs(self) -> Needs:
        """Return what it needs: the model of dipoles does, and whole cells."""
        return replace(self.dipole_model.needs(), doors=(COORDINATES,))

    def build(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> TermOutputs:
        """Return energies of the atoms, their gradient in displacements, and what is beside it."""
        dipole = self.dipole_model.build(inputs, pairs, parameters).values[ATOM_DIPOLE.name]
        num_atoms = tf.shape(inputs.atom_type)[0]
        shift = tf.scatter_nd(pairs.atom_order[:, None], dipole, [num_atoms, 3])
        sites = self._sites(inputs, shift, int(pairs.atom_count.shape[0]))
        constants = self.ewald_beta, self.ewald_h
        found = ewald(sites.charges, *constants)

        def of_atoms(of_sites: tf.Tensor) -> tf.Tensor:
            return tf.math.unsorted_segment_sum(of_sites, sites.owner, num_atoms)

        on_centre = of_atoms(sites.is_centre * found.force)
        turned = -tf.reshape(on_centre[:, :, None] * shift[:, None], [-1, 9])
        frame = inputs.frame_of_atom
        direct = Direct(
            force=of_atoms(found.force),
            virial=found.virial + tf.math.unsorted_segment_sum(turned, frame, inputs.num_frames),
            atom_virial=of_atoms(ewald_site_virial(sites.charges, *constants)) + turned,
        )
        energy = of_atoms(0.5 * sites.charges.charge * found.potential)
        pull = -tf.gather(on_centre, pairs.atom_order)  # dE/dmu
        gradient = tf.gradients(dipole, pairs.displacement, pull)[0]
        return TermOutputs(tf.gather(energy, pairs.atom_order), gradient, direct=direct)

    def plan(self, parameters: Parameters, num_types: int) -> list[TermPlan] | None:
        """Return the stages of the model of dipoles, and the charges behind them."""
        found = self.dipole_model.plan(parameters, num_types)
        if found is None or len(found) != 1 or ATOM_DIPOLE.name not in found[0].values:
            return None
        of_centre = dict(zip(self._chosen(num_types), self.model_charge_map, strict=True))
        charges = stages.DipoleCharge(
            takes=found[0].values[ATOM_DIPOLE.name],
            gives="charges",
            charge=self.sys_charge_map,
            centre=[of_centre.get(t) for t in range(num_types)],
            beta=float(np.float32(self.ewald_beta)),
            spacing=float(np.float32(self.ewald_h)),
        )
        values = {ATOM_ENERGY.name: charges.gives}
        return [TermPlan(self.type, [*found[0].stages, charges], values)]

    def tables(self, parameters: Parameters, num_types: int) -> list[Table]:
        """Return the tables of the model of dipoles."""
        return self.dipole_model.tables(parameters, num_types)

    def _chosen(self, num_types: int) -> list[int]:
        """Return the types that have dipoles, in the order of their charges."""
        fitting = self.dipole_model.fitting_net
        return list(fitting.given) or fitting.chosen(num_types)

    def _sites(self, inputs: Inputs, shift: tf.Tensor, num_types: int) -> _Sites:
        """Return where the charges are; `shift` [N, 3] is from an atom to its centre."""
        chosen = self._chosen(num_types)
        of_centre = dict(zip(chosen, self.model_charge_map, strict=True))
        kind = inputs.atom_type + 1  # 0 is that of virtual atoms
        number = tf.gather(_by_kind([2 if t in chosen else 1 for t in range(num_types)], 1), kind)
        first = tf.cumsum(tf.pad(number, [[1, 0]]))  # site of each atom; its centre comes next
        owner = tf.repeat(tf.range(tf.shape(kind)[0]), number)
        second = tf.equal(tf.pad(owner, [[1, 0]], constant_values=-1)[:-1], owner)
        is_centre = tf.cast(second, tf.float64)[:, None]
        charge = [
            tf.gather(_by_kind([float(q) for q in charges], 0.0), tf.gather(kind, owner))
            for charges in ([of_centre.get(t, 0.0) for t in range(num_types)], self.sys_charge_map)
        ]
        charges = Charges(
            coord=tf.gather(inputs.coord, owner) + is_centre * tf.gather(shift, owner),
            charge=tf.where(second, *charge),
            cell=inputs.cell,
            frame_row=tf.gather(first, inputs.frame_row),
        )
        return _Sites(charges, owner, is_centre)


class _Sites(NamedTuple):
    """Charges, each atom's before its centre's."""

    charges: Charges
    owner: tf.Tensor  # [n] atom of each
    is_centre: tf.Tensor  # [n, 1], 1 or 0


def _by_kind(values: Sequence[float], of_virtual: float) -> tf.Tensor:
    """Return a number for virtual atoms, then those of each type."""
    dtype = tf.float64 if isinstance(of_virtual, float) else tf.int32
    return tf.constant([of_virtual, *values], dtype)
