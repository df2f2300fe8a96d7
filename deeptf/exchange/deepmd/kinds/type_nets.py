"""Descriptors with one net for each pair of types, or each neighbour type.

Excluded pairs of types have no net (two-side) or a 0 in a matrix of zeros and ones (one-side).
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import numpy as np

from deeptf.exchange.deepmd import nets
from deeptf.exchange.deepmd.kind import Arrays, Part
from deeptf.exchange.deepmd.rows import RowsKind
from deeptf.model.descriptor.type_nets import TypeNets


class TypeNetsKind(RowsKind):
    """A descriptor whose settings are TypeNets.

    settings_class : in deeptf
    must_be : in words, what the descriptor must have beside the width of the nets
    """

    settings_class: type[TypeNets]
    must_be: str
    from_graph = True

    def further(self, part: Part, last: int) -> dict[str, Any] | None:
        """Return further settings for nets of the width `last`; None where they do not fit."""
        raise NotImplementedError

    def settings(self, part: Part) -> TypeNets:
        """Return the settings that the graph shows."""
        lengths = self.lengths(part)
        pattern, one_side = self._first_net(part)
        first = pattern.format(kind="matrix", layer=1)
        neuron = nets.widths(part.graph, pattern, 1)
        further = self.further(part, neuron[-1])
        if further is None:
            raise ValueError(
                f"the fitting nets must take {neuron[-1]} {self.must_be}, and the parameters, got "
                f"a descriptor of {part.width}"
            )
        idt = rf"filter_type_(all|\d+){part.suffix}/idt_"
        own = self.settings_class(
            **lengths,
            neuron=neuron,
            activation_function=nets.activation(part.graph, pattern.format(kind="bias", layer=1)),
            resnet_dt=any(re.match(idt, name) for name in part.graph.nodes),
            type_one_side=one_side,
            precision=nets.precision(part.graph, first),
            exclude_types=self._excluded_pairs(part, one_side),
            embedding="network",  # the result equals the old model to the last digits
            **further,
        )
        part.check_stated(own, "neuron", "type_one_side", "exclude_types", *further)
        return own

    def arrays(self, part: Part, own: TypeNets) -> Arrays:
        """Return statistics and nets."""
        types = range(part.num_types)
        owners = ("all",) if own.type_one_side else types
        arrays = self.statistics(part)
        for centre, neighbor in itertools.product(owners, types):
            if centre != "all" and own.excludes(centre, neighbor):
                continue
            arrays |= nets.embedding_net(
                part.graph,
                f"{part.scope(centre)}/{{kind}}_{{layer}}_{neighbor}",
                f"embedding_{centre}_{neighbor}/",
                (1, *own.neuron),
                own.resnet_dt,
            )
        return arrays

    def _first_net(self, part: Part) -> tuple[str, bool]:
        """Return the pattern of the names of an embedding net, and whether nets are one-side."""
        for owner in ("all", *range(part.num_types)):
            for neighbor in range(part.num_types):
                pattern = f"{part.scope(owner)}/{{kind}}_{{layer}}_{neighbor}"
                if pattern.format(kind="matrix", layer=1) in part.graph:
                    return pattern, owner == "all"
        raise ValueError("it must hold embedding nets (`filter_type_*/matrix_1_*`), but does not")

    def _excluded_pairs(self, part: Part, one_side: bool) -> tuple[tuple[int, int], ...]:
        pairs = itertools.combinations_with_replacement(range(part.num_types), 2)
        if not one_side:
            return tuple(
                (a, b) for a, b in pairs if f"{part.scope(a)}/matrix_1_{b}" not in part.graph
            )
        if part.suffix:
            return part.option("exclude_types", tuple[tuple[int, ...], ...])
        used = exclusion_mask(part)
        return () if used is None else tuple((a, b) for a, b in pairs if not used[a, b])


def exclusion_mask(part: Part) -> np.ndarray | None:
    """Return the matrix of zeros and ones that says which pairs of types count, if any."""
    shape = (part.num_types, part.num_types)
    for name in part.graph.constants_of_shape(shape):
        value = part.graph.array(name, shape)
        if not np.all((value == 0) | (value == 1)) or np.any(value != value.T):
            raise ValueError(f"`{name}` must say which pairs of types count, got other numbers")
        return value
    return None
