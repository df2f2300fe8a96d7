"""The descriptor se_e2_r of deepmd-kit."""

from __future__ import annotations

from typing import Any

from deeptf.exchange.deepmd import tabulate
from deeptf.exchange.deepmd.kind import Part
from deeptf.exchange.deepmd.kinds.type_nets import TypeNetsKind
from deeptf.exchange.deepmd.names import COMPRESSED, TYPE_EMBEDDING
from deeptf.model.descriptor.se_e2_r import SeE2R


class SeE2RKind(TypeNetsKind):
    """Nets of pairs of types or of neighbour types, of distances alone."""

    types = ("se_e2_r", "se_r")
    environment = ("ProdEnvMatR", "DescrptSeR")
    force = ("ProdForceSeR",)
    virial = ("ProdVirialSeR",)
    ops = tabulate.OPS | {"BroadcastTo", "DynamicStitch", "FloorDiv", "Mean", "Prod", "Size"}
    features = frozenset({TYPE_EMBEDDING, COMPRESSED})  # the former enters the fitting alone
    fusion = "SeR"
    columns = 1
    sel, rcut, rcut_smth = "sel", "rcut", "rcut_smth"
    fixed, sizes = {}, {}
    settings_class = SeE2R
    must_be = "numbers, the width of the embedding nets"

    def further(self, part: Part, last: int) -> dict[str, Any] | None:
        """Return nothing more: the descriptor is as wide as its nets."""
        return {} if part.width in (None, last) else None
