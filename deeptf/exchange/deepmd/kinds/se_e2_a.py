"""The descriptor se_e2_a of deepmd-kit (ops of today, of version 1 and of version 0)."""

from __future__ import annotations

from typing import Any

from deeptf.exchange.deepmd import tabulate
from deeptf.exchange.deepmd.kind import Arrays, Part
from deeptf.exchange.deepmd.kinds.one_net import OneNetKind
from deeptf.exchange.deepmd.kinds.type_nets import TypeNetsKind
from deeptf.exchange.deepmd.names import COMPRESSED, TYPE_EMBEDDING
from deeptf.model.descriptor.se_e2_a import SeE2A


class TypedKind(OneNetKind):
    """One net that takes the vectors of types beside distances."""

    types = ("se_e2_a",)
    environment = ("ProdEnvMatA",)
    settings_class = SeE2A


class SeE2AKind(TypeNetsKind):
    """Nets of pairs of types or of neighbour types; with vectors of types it is TypedKind."""

    types = ("se_e2_a", "se_a")
    environment = ("ProdEnvMatA", "DescrptSeA", "DescrptNorot")
    force = ("ProdForceSeA", "ProdForceNorot")
    virial = ("ProdVirialSeA", "ProdVirialNorot")
    features = frozenset({TYPE_EMBEDDING, COMPRESSED})
    ops = tabulate.OPS
    fusion = "SeA"
    settings_class = SeE2A
    must_be = "times the axis neurons"
    typed = TypedKind()

    def settings(self, part: Part) -> SeE2A:
        """Return the settings that graph and training input show."""
        return self.typed.settings(part) if part.has_types() else super().settings(part)

    def arrays(self, part: Part, own: SeE2A) -> Arrays:
        """Return statistics and nets."""
        if part.has_types():
            return self.typed.arrays(part, own)
        return super().arrays(part, own)

    def further(self, part: Part, last: int) -> dict[str, Any] | None:
        """Return the axis neurons, from the width of the descriptor."""
        if part.width is None:
            return {"axis_neuron": part.option("axis_neuron", int)}
        axis, rest = divmod(part.width, last)
        return {"axis_neuron": axis} if not rest and 1 <= axis <= last else None
