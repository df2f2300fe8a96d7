"""The descriptor se_e2_a of deepmd-kit (ops of today, of version 1 and of version 0)."""

from __future__ import annotations

from typing import Any

from deeptf.exchange.deepmd.kind import Part
from deeptf.exchange.deepmd.kinds.type_nets import TypeNetsKind
from deeptf.model.descriptor.se_e2_a import SeE2A


class SeE2AKind(TypeNetsKind):
    """Nets of pairs of types or of neighbour types."""

    types = ("se_e2_a", "se_a")
    environment = ("ProdEnvMatA", "DescrptSeA", "DescrptNorot")
    force = ("ProdForceSeA", "ProdForceNorot")
    virial = ("ProdVirialSeA", "ProdVirialNorot")
    settings_class = SeE2A
    must_be = "times the axis neurons"

    def further(self, part: Part, last: int) -> dict[str, Any] | None:
        """Return the axis neurons, from the width of the descriptor."""
        if part.width is None:
            return {"axis_neuron": part.option("axis_neuron", int)}
        axis, rest = divmod(part.width, last)
        return {"axis_neuron": axis} if not rest and 1 <= axis <= last else None
