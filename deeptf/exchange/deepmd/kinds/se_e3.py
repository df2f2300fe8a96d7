"""The descriptor se_e3 of deepmd-kit: a net for each two types of neighbours, of their product."""

from __future__ import annotations

import itertools

from deeptf.exchange.deepmd import nets
from deeptf.exchange.deepmd.kind import Arrays, Part
from deeptf.exchange.deepmd.names import SE_E3, TYPE_EMBEDDING
from deeptf.exchange.deepmd.rows import RowsKind
from deeptf.model.descriptor.se_e3 import SeE3


class SeE3Kind(RowsKind):
    """Products of two neighbours."""

    types = ("se_e3", "se_at", "se_t", "se_a_3be")
    environment = ("ProdEnvMatA",)
    force = ("ProdForceSeA",)
    virial = ("ProdVirialSeA",)
    features = frozenset({SE_E3, TYPE_EMBEDDING})  # the latter is an input of the fitting alone
    ops = frozenset({"Einsum"})

    def settings(self, part: Part) -> SeE3:
        """Return the settings that graph and training input show."""
        pattern = _pattern(part, 0, 0)
        neuron = nets.widths(part.graph, pattern, 1)
        if not neuron or part.width not in (None, neuron[-1]):
            raise ValueError(
                f"`{pattern.format(kind='matrix', layer=1)}` must begin a net as wide as the "
                f"descriptor, {part.width}, got widths {list(neuron)}"
            )
        own = SeE3(
            **self.lengths(part),
            neuron=neuron,
            activation_function=nets.activation(part.graph, pattern.format(kind="bias", layer=1)),
            resnet_dt=nets.has_time_steps(part.graph, pattern, len(neuron)),
            precision=nets.precision(part.graph, pattern.format(kind="matrix", layer=1)),
            embedding="network",  # the result equals the old model to the last digits
        )
        part.check_stated(own, "neuron", "exclude_types")
        return own

    def arrays(self, part: Part, own: SeE3) -> Arrays:
        """Return statistics and nets."""
        arrays = self.statistics(part)
        for pair in itertools.combinations_with_replacement(range(part.num_types), 2):
            target = f"{own.network_name(*pair)}/"
            place = part.graph, _pattern(part, *pair), target, (1, *own.neuron)
            arrays |= nets.embedding_net(*place, own.resnet_dt)
        return arrays


def _pattern(part: Part, first: int, second: int) -> str:
    """Return the names of the arrays of the net of two types of neighbours."""
    return f"{part.scope('all')}/{{kind}}_{{layer}}_{first}_{second}"
