"""The descriptor se_e3 of deepmd-kit: a net for each two types of neighbours, of their product."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from deeptf.exchange.deepmd import nets, tabulate
from deeptf.exchange.deepmd.kind import Arrays, Part
from deeptf.exchange.deepmd.names import COMPRESSED, SE_E3, TYPE_EMBEDDING
from deeptf.exchange.deepmd.pieces import read_pieces, table_arrays, times_argument
from deeptf.exchange.deepmd.rows import RowsKind
from deeptf.model.descriptor.se_e3 import SeE3
from deeptf.model.product_ranges import shares
from deeptf.ops.triples import block_types
from deeptf.tf import tf


class SeE3Kind(RowsKind):
    """Products of two neighbours."""

    types = ("se_e3", "se_at", "se_t", "se_a_3be")
    environment = ("ProdEnvMatA",)
    force = ("ProdForceSeA",)
    virial = ("ProdVirialSeA",)
    features = frozenset({SE_E3, COMPRESSED, TYPE_EMBEDDING})  # the last enters the fitting alone
    ops = tabulate.OPS | {"Einsum"}
    fusion = "SeT"
    marks = frozenset({"filter_type_all/matrix_1_0_0"})

    def settings(self, part: Part) -> SeE3:
        """Return the settings that graph and training input show."""
        own = SeE3(**self.lengths(part), **self._of_nets(part))
        if part.width not in (None, own.width):
            raise ValueError(
                f"the fitting nets must take {own.width} numbers, the width of the embedding nets, "
                f"got a descriptor of {part.width}"
            )
        part.check_stated(own, "neuron", "exclude_types")
        return own

    def arrays(self, part: Part, own: SeE3) -> Arrays:
        """Return statistics and nets."""
        arrays = self.statistics(part)
        tables = self.table_nodes(part, "all")
        if tables:
            return arrays | _table(part, own, tables)
        for pair in itertools.combinations_with_replacement(range(part.num_types), 2):
            target = f"{own.network_name(*pair)}/"
            place = part.graph, _pattern(part, *pair), target, (1, *own.neuron)
            arrays |= nets.embedding_net(*place, own.resnet_dt)
        return arrays

    def _of_nets(self, part: Part) -> dict[str, Any]:
        """Return the settings of the nets, or of tables in their place."""
        pattern = _pattern(part, 0, 0)
        neuron = nets.widths(part.graph, pattern, 1)
        if self.table_nodes(part, "all"):
            return part.of_tables()
        if not neuron:
            first = pattern.format(kind="matrix", layer=1)
            raise ValueError(f"it must hold the constant `{first}`, but does not")
        return {
            "neuron": neuron,
            "activation_function": nets.activation(
                part.graph, pattern.format(kind="bias", layer=1)
            ),
            "resnet_dt": nets.has_time_steps(part.graph, pattern, len(neuron)),
            "precision": nets.precision(part.graph, pattern.format(kind="matrix", layer=1)),
            "embedding": "network",  # the result equals the old model to the last digits
        }


def _table(part: Part, own: SeE3, nodes: Sequence[tf.NodeDef]) -> Arrays:
    """Return the arrays of the table of q G(q) of each block of triples."""
    first, second = block_types(part.num_types)
    pairs = list(itertools.combinations_with_replacement(range(part.num_types), 2))
    if len(nodes) != len(pairs):
        raise ValueError(f"`{part.scope('all')}` must have {len(pairs)} tables, got {len(nodes)}")
    of_pairs = {
        pair: read_pieces(part.graph, node, two_sided=True)
        for pair, node in zip(pairs, nodes, strict=True)
    }
    blocks = zip(first.tolist(), second.tolist(), shares(own.sel), strict=True)
    return table_arrays([times_argument(of_pairs[s, t], share) for s, t, share in blocks])


def _pattern(part: Part, first: int, second: int) -> str:
    """Return the names of the arrays of the net of two types of neighbours."""
    return f"{part.scope('all')}/{{kind}}_{{layer}}_{first}_{second}"
