"""What a descriptor shows in the graph of a deepmd-kit model, and what becomes of it.

A descriptor that can be imported has an object of this class in a file of its own, listed in
deepmd_kinds.py. The rest of the import, and the comparison that decides, read it and name none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deeptf.model.descriptor.type_nets import TypeNets
from deeptf.tf import tf

Right = Callable[[tf.AttrValue], bool]


def nothing_more(width: int, last: int) -> dict[str, Any] | None:
    """Return no further settings of a descriptor that is as wide as its nets."""
    return {} if width == last else None


@dataclass(frozen=True)
class Kind:
    """A descriptor with one net for each pair of types, or each neighbour type.

    environment, force, virial : names of its ops of geometry, in all versions
    sel, rcut, rcut_smth : attributes of the environment op
    fixed : its other attributes, and whether a value is one that deeptf knows
    sizes : attributes of the ops of force and virial, which follow from sel
    further : returns settings from the width of the descriptor and the last width of the nets; None
        where they do not fit; `must_be` says in words what fits
    ops : of TensorFlow, beyond those that models of all kinds have
    """

    settings: type[TypeNets]
    environment: tuple[str, ...]
    force: tuple[str, ...]
    virial: tuple[str, ...]
    sel: str
    rcut: str
    rcut_smth: str
    fixed: Mapping[str, Right]
    sizes: Mapping[str, Callable[[Sequence[int]], int]]
    further: Callable[[int, int], dict[str, Any] | None] = nothing_more
    must_be: str = "numbers, the width of the embedding nets"
    ops: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Name of the descriptor in input files."""
        return self.settings.type

    @property
    def columns(self) -> int:
        """Numbers in an environment row."""
        return self.settings.columns

    @property
    def geometry(self) -> tuple[str, ...]:
        """The ops that TensorFlow does not know."""
        return self.environment + self.force + self.virial
