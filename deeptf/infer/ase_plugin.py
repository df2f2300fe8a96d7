"""The calculator for ASE's list of plugins (entry point group `ase.plugins`, since ASE 3.28).

ASE calls that list experimental; where it is another one there is nothing for it here.
"""

from __future__ import annotations

try:
    from ase._4.plugins.plugin import CalculatorPlugin
except ImportError:
    __ase_plugins__ = frozenset()
else:
    __ase_plugins__ = frozenset(
        {CalculatorPlugin("deeptf", citation="", implementation="deeptf.infer.ase.DP")}
    )
