"""Chemical elements by their symbols."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

SYMBOLS = """
    H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br
    Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho
    Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm
    Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og
""".split()


def atomic_numbers(type_map: Sequence[str]) -> np.ndarray:
    """Return the atomic number of each type, [T] float64; ValueError for a name of no element."""
    unknown = [name for name in type_map if name not in SYMBOLS]
    if unknown:
        raise ValueError(
            f"`type_map` must have names of elements for a wall by atomic numbers, got {unknown[0]}"
        )
    return np.array([1.0 + SYMBOLS.index(name) for name in type_map])
