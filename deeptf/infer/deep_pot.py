"""DeepPot: energy, force and virial of a frozen model from Python, by the names of deepmd-kit.

Units: A, eV, eV/A; virial = -dE/dstrain in eV.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from deeptf.infer.deep_model import EVAL_KEYWORDS, DeepModel
from deeptf.infer.keywords import check_keywords
from deeptf.properties import ATOM_ENERGY, ATOM_VIRIAL, ENERGY, FORCE, VIRIAL, unmodified

_EVALUATED = (ENERGY, FORCE, VIRIAL)  # the order of deepmd-kit
_ATOMIC = (ATOM_ENERGY, ATOM_VIRIAL)


class DeepPot(DeepModel):
    """A frozen model of energies, ready to evaluate; arguments and attributes of DeepModel."""

    main: ClassVar[str] = ENERGY.name

    def eval(
        self,
        coords: ArrayLike,
        cells: ArrayLike | None,
        atom_types: ArrayLike,
        atomic: bool = False,
        fparam: ArrayLike | None = None,
        aparam: ArrayLike | None = None,
        mixed_type: bool = False,
        skip_modifier: bool = False,
        **others: Any,
    ) -> tuple[np.ndarray, ...]:
        """Evaluate frames of one size.

        coords [nf, 3N] in A; cells [nf, 9] in A or None for no cell (zeros: this frame has none);
        atom_types [N] or [nf, N], -1 for no atom; fparam [nf, k] or [k]; aparam [nf, N, k], [N, k]
        or [k]. One frame may come as coords [3N] and cells [9]. With `mixed_type` atom_types must
        be [nf, N]. Returns energy [nf, 1], force [nf, N, 3], virial [nf, 9] and, with `atomic`, the
        energy of each atom [nf, N, 1] and its virial [nf, N, 9] (that of a pair belongs to the
        neighbour). With `skip_modifier` a model leaves out its modifier, the long range of charges.
        Of a model with spins, energies are those of real atoms, [nf, N_real, 1], and force holds
        magnetic forces at virtual atoms. Raises ValueError, naming frame and atom where it can.
        """
        check_keywords(DeepPot.eval, others, *EVAL_KEYWORDS)
        rows = _EVALUATED + _ATOMIC if atomic else _EVALUATED
        if skip_modifier and unmodified(ENERGY).name in self.get_outputs():
            rows = tuple(map(unmodified, rows))
        given = coords, cells, atom_types, fparam, aparam, mixed_type
        found = self._eval(rows, *given)
        types = self.as_given(ATOM_ENERGY).types
        if atomic and types:
            place = rows.index(ATOM_ENERGY)
            found[place] = _of_types(found[place], np.asarray(atom_types), types)
        return tuple(found)


def _of_types(values: np.ndarray, atom_types: np.ndarray, types: Sequence[int]) -> np.ndarray:
    """Return the rows [nf, n, k] of atoms of some types; all where frames have unlike numbers."""
    chosen = np.broadcast_to(np.isin(atom_types, types), values.shape[:2])
    if len(set(chosen.sum(axis=1).tolist())) > 1:
        return values
    return values[chosen].reshape(len(values), -1, values.shape[2])
