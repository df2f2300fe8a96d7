"""DeepDOS: densities of states of a frozen model from Python.

Units and grid of energies are those of the data that the model was trained on.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from deeptf.infer.deep_model import EVAL_KEYWORDS, DeepModel
from deeptf.infer.keywords import check_keywords
from deeptf.properties import ATOM_DOS, DOS


class DeepDOS(DeepModel):
    """A frozen model of densities of states; arguments and attributes of DeepModel."""

    main: ClassVar[str] = DOS.name

    @property
    def numb_dos(self) -> int:
        """Number of energies of the grid."""
        return self.as_given(DOS).width

    def get_numb_dos(self) -> int:
        """Return the number of energies of the grid."""
        return self.numb_dos

    def eval(
        self,
        coords: ArrayLike,
        cells: ArrayLike | None,
        atom_types: ArrayLike,
        atomic: bool = False,
        fparam: ArrayLike | None = None,
        aparam: ArrayLike | None = None,
        mixed_type: bool = False,
        **others: Any,
    ) -> tuple[np.ndarray, ...]:
        """Return the density of states of each frame, ([nf, k],), and with `atomic` of each atom.

        The latter are [nf, N, k]. Frames as in DeepPot.eval.
        """
        check_keywords(DeepDOS.eval, others, *EVAL_KEYWORDS)
        given = coords, cells, atom_types, fparam, aparam, mixed_type
        return tuple(self._eval([DOS, ATOM_DOS] if atomic else [DOS], *given))
