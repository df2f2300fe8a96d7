"""The descriptor se_a_mask of deepmd-kit: whole systems some of whose atoms are absent.

Its op of geometry has no settings: sel is in the training input alone, and in the number of atoms
that the op of the force knows. There is no op of the virial, which is zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptf.exchange.deepmd.geometry import Environment, Frame, environment
from deeptf.exchange.deepmd.kind import Arrays, Part
from deeptf.exchange.deepmd.kinds.se_e2_a import SeE2AKind
from deeptf.exchange.deepmd.names import ATOM_MASK, VIRIAL
from deeptf.model.descriptor.se_a_mask import SeAMask


class SeAMaskKind(SeE2AKind):
    """Nets of pairs of types or of neighbour types, of all atoms that are there."""

    types = ("se_a_mask",)
    environment = ("DescrptSeAMask",)
    force = ("ProdForceSeAMask",)
    virial = ()
    given = ("t_coord", "t_type", "t_aparam", "t_box", "t_natoms", "t_mesh")
    features = frozenset({ATOM_MASK})
    from_graph = False
    settings_class = SeAMask
    in_full = {}

    def lengths(self, part: Part) -> dict[str, Any]:
        """Return sel, checked against the number of atoms in the graph."""
        sel = self.sel_of(part)
        part.check_keys(part.environment, set())
        part.check_keys(part.force, {"total_atom_num"})
        part.check_value(
            part.force, "total_atom_num", part.force.attr["total_atom_num"].i == sum(sel)
        )
        return {"sel": sel}

    def sel_of(self, part: Part) -> tuple[int, ...]:
        """Return the numbers of places."""
        return part.option("sel", tuple[int, ...])

    def statistics(self, part: Part) -> Arrays:
        """Return a normalisation of the rows that changes nothing."""
        part.graph.number("descrpt_attr/rcut")
        virial = part.graph.nodes[VIRIAL].input[0]
        if np.any(part.graph.array(virial, (9,))):
            raise ValueError(f"`{virial}`, the virial, must be zeros, but is not")
        shape = part.num_types, self.columns
        return {"mean": np.zeros(shape), "stddev": np.ones(shape)}

    def evaluated(self, part: Part, frame: Frame, given: Sequence[np.ndarray]) -> Environment:
        """Return the rows of a frame."""
        sel = self.sel_of(part)
        lengths = SeAMask.rcut_smth, SeAMask.rcut
        shape = part.num_types, self.columns * sum(sel)
        found = environment(frame, sel, lengths, np.zeros(shape), np.ones(shape))
        return MaskedEnvironment(**vars(found), mask=frame.aparam)


@dataclass(frozen=True)
class MaskedEnvironment(Environment):
    """Outputs of the op; its op of the force gets the mask too."""

    mask: np.ndarray | None = None  # [N + P, 1]

    def of_force(self) -> list[np.ndarray]:
        """Return what the op of the force gets of them."""
        return [self.derivative, self.mask, self.neighbor]
