"""Descriptors with one net for each pair of types, or each neighbour type.

Excluded pairs of types have no net (two-side) or a 0 in a matrix of zeros and ones (one-side).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from deeptf.exchange.deepmd import nets
from deeptf.exchange.deepmd.kind import Arrays, Part
from deeptf.exchange.deepmd.masks import excluded_by_mask
from deeptf.exchange.deepmd.pieces import read_pieces, table_arrays
from deeptf.exchange.deepmd.rows import RowsKind
from deeptf.model.descriptor.type_nets import TypeNets


class TypeNetsKind(RowsKind):
    """A descriptor whose settings are TypeNets.

    settings_class : in deeptf
    in_full : settings of nets that are no tables: results equal the old model to the last digits
    must_be : in words, what the descriptor must have beside the width of the nets
    """

    settings_class: type[TypeNets]
    in_full: Mapping[str, Any] = {"embedding": "network"}
    must_be: str
    from_graph = True

    def further(self, part: Part, last: int) -> dict[str, Any] | None:
        """Return further settings for nets of the width `last`; None where they do not fit."""
        raise NotImplementedError

    def settings(self, part: Part) -> TypeNets:
        """Return the settings that the graph shows."""
        if self.is_compressed(part):
            return self._compressed(part)
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
        own = self.settings_class(
            **lengths,
            neuron=neuron,
            activation_function=nets.activation(part.graph, pattern.format(kind="bias", layer=1)),
            resnet_dt=nets.has_time_steps(part.graph, pattern, len(neuron)),
            type_one_side=one_side,
            precision=nets.precision(part.graph, first),
            exclude_types=self._excluded_pairs(part, one_side),
            **self.in_full,
            **further,
        )
        part.check_stated(own, "neuron", "type_one_side", "exclude_types", *further)
        return own

    def arrays(self, part: Part, own: TypeNets) -> Arrays:
        """Return statistics and nets."""
        arrays = self.statistics(part)
        if self.is_compressed(part):
            return arrays | self._table(part, own)
        types = range(part.num_types)
        owners = ("all",) if own.type_one_side else types
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

    def is_compressed(self, part: Part) -> bool:
        """Return whether tables are in place of nets."""
        return any(self.table_nodes(part, owner) for owner in ("all", *range(part.num_types)))

    def _compressed(self, part: Part) -> TypeNets:
        """Return the settings of a model with tables, of which the training input says more."""
        stated = part.of_tables()
        further = self.further(part, stated["neuron"][-1] if stated["neuron"] else 1)
        return self.settings_class(
            **self.lengths(part),
            **stated,
            type_one_side=part.option("type_one_side", bool),
            exclude_types=part.option("exclude_types", tuple[tuple[int, ...], ...]),
            **(further or {}),
        )

    def _table(self, part: Part, own: TypeNets) -> Arrays:
        """Return the arrays of the one table of all nets, in the order that deeptf has them in."""
        names, curve = own.blocks(part.num_types)
        nodes = {}
        for centre in range(part.num_types):
            owner = "all" if own.type_one_side else centre
            there = [t for t in range(part.num_types) if owner == "all" or curve[t, centre] >= 0]
            found = self.table_nodes(part, owner)
            if len(found) != len(there):
                raise ValueError(
                    f"`{part.scope(owner)}` must have {len(there)} tables, got {len(found)}"
                )
            nodes |= {
                own.network_name(centre, t): node for t, node in zip(there, found, strict=True)
            }
        excluded_by_mask(part)
        return table_arrays([read_pieces(part.graph, nodes[name]) for name in names])

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
        return excluded_by_mask(part)
