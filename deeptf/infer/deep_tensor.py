"""DeepDipole and DeepPolar: dipoles and polarizabilities of a frozen model from Python.

Units are those of the data that the model was trained on.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from deeptf.infer.deep_model import EVAL_KEYWORDS, DeepModel
from deeptf.infer.keywords import check_keywords
from deeptf.properties import (
    ATOM_DIPOLE,
    ATOM_POLAR,
    DIPOLE,
    POLAR,
    Property,
    derivatives,
)


class DeepTensor(DeepModel):
    """What models of tensors share."""

    of_frame: ClassVar[Property]
    of_atom: ClassVar[Property]

    @property
    def output_dim(self) -> int:
        """Number of components of a tensor: 3 or 9."""
        return self.of_frame.width

    def eval(
        self,
        coords: ArrayLike,
        cells: ArrayLike | None,
        atom_types: ArrayLike,
        atomic: bool = True,
        fparam: ArrayLike | None = None,
        aparam: ArrayLike | None = None,
        mixed_type: bool = False,
        **others: Any,
    ) -> np.ndarray:
        """Return the tensor of each atom, [nf, N, k], or unless `atomic` of each frame, [nf, k].

        Atoms of types that have no tensor have zeros. Frames as in DeepPot.eval.
        """
        check_keywords(DeepTensor.eval, others, *EVAL_KEYWORDS)
        given = coords, cells, atom_types, fparam, aparam, mixed_type
        return self._eval([self.of_atom if atomic else self.of_frame], *given)[0]

    def eval_full(
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
        """Return the tensor of each frame and its derivatives, T [nf, k], F and W.

        F [nf, k, N, 3] = -dT/dr and W [nf, k, 9], W_ab = -sum dT/dr_a r_b over pairs, which is not
        symmetric since a tensor turns; with `atomic` also the tensors of the atoms [nf, N, k] and
        the parts of W [nf, k, N, 9] (that of a pair belongs to the neighbour).
        """
        check_keywords(DeepTensor.eval_full, others, *EVAL_KEYWORDS)
        given = coords, cells, atom_types, fparam, aparam, mixed_type
        force, virial, atom_virial = derivatives(self.of_frame)
        rows = [self.of_frame, force, virial]
        found = self._eval([*rows, self.of_atom, atom_virial] if atomic else rows, *given)
        found[1] = self._component_first(found[1], 3)
        found[2] = found[2].reshape(len(found[2]), self.output_dim, 9)
        if atomic:
            found[4] = self._component_first(found[4], 9)
        return tuple(found)

    def _component_first(self, value: np.ndarray, width: int) -> np.ndarray:
        """Return [nf, k, N, width] of [nf, N, k * width]."""
        shape = *value.shape[:2], self.output_dim, width
        return value.reshape(shape).transpose(0, 2, 1, 3)


class DeepDipole(DeepTensor):
    """A frozen model of dipoles; arguments and attributes of DeepModel."""

    of_frame: ClassVar[Property] = DIPOLE
    of_atom: ClassVar[Property] = ATOM_DIPOLE
    main: ClassVar[str] = DIPOLE.name


class DeepPolar(DeepTensor):
    """A frozen model of polarizabilities; arguments and attributes of DeepModel."""

    of_frame: ClassVar[Property] = POLAR
    of_atom: ClassVar[Property] = ATOM_POLAR
    main: ClassVar[str] = POLAR.name
