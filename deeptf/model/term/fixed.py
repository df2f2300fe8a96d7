"""What terms that nothing trains have in common: data decide none of their arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from deeptf.data.energy_bias import Energies
from deeptf.data.statistics import Found
from deeptf.data.system import System
from deeptf.model.descriptor.described import Arrays, Lines

if TYPE_CHECKING:
    from typing_extensions import Self


class Fixed:
    """Functions of such a term, see term.py; the others are its own."""

    fixed: ClassVar[bool] = True

    def with_open_of(self, old: Self) -> Self:
        """Return the settings, which leave nothing open."""
        return self

    def decide(self, found: Found) -> tuple[Self, Lines]:
        """Return the settings as they are."""
        return self, []

    def first_arrays(self, found: Found, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return what there is without data."""
        return self.fixed_arrays(type_map)

    def refitted(
        self,
        arrays: Mapping[str, np.ndarray],
        systems: Sequence[System],
        left: Sequence[Energies],
        type_map: Sequence[str],
    ) -> tuple[Arrays, Lines]:
        """Return nothing: its energies stay."""
        return {}, []
