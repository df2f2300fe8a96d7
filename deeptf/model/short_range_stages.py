"""Stages of a plan (stages.py) for energies of pairs that nothing trains.

core/short_range has the equations. All take pairs and give a number of each centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from deeptf.model.stages import ALL_PAIRS, Constant


@dataclass(frozen=True)
class PairTable:
    """Energies [N] = 1/2 sum_j u(r_j) with cubics u between nodes, u = 0 from rcut on.

    Node k is at grid[0] + k grid[1]. Behind the last node u is 0, before the first one an error.
    """

    kernel: ClassVar[str] = "pair_table"
    gives: str
    rcut: float
    nodes: Constant  # [T (T + 1) / 2, n, 2] u, slope times step; types (0, 0), (0, 1) ... (1, 1)
    grid: Constant  # [2] A
    takes: str = ALL_PAIRS


@dataclass(frozen=True)
class ZblWall:
    """Energies [N] = 1/2 sum_j u(r_j) of the repulsion of nuclei, 0 from rout on.

    u = K Z Z' / r phi(r / a) + S(r) with K = 14.399645 eV A, a = 0.46850 / (Z^0.23 + Z'^0.23) A and
    phi(x) = 0.18175 e^-3.1998x + 0.50986 e^-0.94229x + 0.28022 e^-0.4029x + 0.02817 e^-0.20162x.
    S = C, and A/3 (r - rin)^3 + B/4 (r - rin)^4 more from rin on; with E, E', E'' of the first part at
    rout and t = rout - rin, A = (-3 E' + t E'') / t^2, B = (2 E' - t E'') / t^3 and
    C = -E + t E' / 2 - t^2 E'' / 12.
    """

    kernel: ClassVar[str] = "zbl"
    gives: str
    rin: float
    rout: float
    atomic_number: Constant  # [T]
    takes: str = ALL_PAIRS


@dataclass(frozen=True)
class SoftMinimum:
    """Switches [N], s(sum_j r_j w_j / sum_j w_j) with w_j = exp(-r_j / alpha).

    s(d) = 1 below rmin, u^3 (-6 u^2 + 15 u - 10) + 1 up to rmax and 0 beyond, with
    u = (d - rmin) / (rmax - rmin); 0 of a centre without pairs.
    """

    kernel: ClassVar[str] = "soft_minimum"
    gives: str
    alpha: float
    rmin: float
    rmax: float
    takes: str = ALL_PAIRS


@dataclass(frozen=True)
class Blend:
    """Energies [N] = switch (first + added_c) + (1 - switch) second."""

    kernel: ClassVar[str] = "blend"
    takes: Sequence[str]  # switch, first, second
    gives: str
    added: Constant | None = None  # [T]
