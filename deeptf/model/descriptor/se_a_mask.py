"""Descriptor of whole systems without a cell, some of whose atoms are absent, as deepmd-kit has it.

It is that of se_e2_a.py of the rows (1/r, x/r^2, y/r^2, z/r^2), not normalised, of all other atoms
of the frame, however far: there is no cut-off. Which atoms are there is told by a mask, aparam, 1
or 0 for each; those that are not are nobody's neighbours, and their own descriptor is 0. `sel` are
the atoms of each type, absent ones too; only their sum matters, N_c. Its nets are no tables: those
need a cut-off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deeptf.data.statistics import Collector, Found
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.ops.pairs import ANYWHERE


@dataclass(frozen=True)
class SeAMask(SeE2A):
    """Settings of the descriptor; the fields are the keys of the input file."""

    type: ClassVar[str] = "se_a_mask"
    masked: ClassVar[bool] = True
    rcut: ClassVar[float] = ANYWHERE
    rcut_smth: ClassVar[float] = ANYWHERE / 2
    set_davg_zero: ClassVar[bool] = True
    embedding: ClassVar[str] = "network"

    def _check_sel(self) -> None:
        if isinstance(self.sel, str):
            raise ValueError(f"`sel` must be a list, the atoms of each type, got {self.sel!r}")
        super()._check_sel()

    def collectors(self, num_types: int) -> list[Collector]:
        """Return nothing: rows are as they are."""
        return []

    def decide(self, found: Found) -> tuple[SeAMask, Lines]:
        """Return the settings: they leave nothing open."""
        return self, []

    def first_arrays(self, found: Found) -> Arrays:
        """Return a normalisation of the rows that changes nothing."""
        shape = found.num_types, self.columns
        return {"mean": np.zeros(shape), "stddev": np.ones(shape)}

    def seen(self, found: Found) -> Arrays:
        """Return nothing: there are no tables."""
        return {}

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return nothing: further data change nothing."""
        return {}, []
