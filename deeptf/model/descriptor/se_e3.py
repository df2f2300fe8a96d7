"""Three-body descriptor: products of two neighbours (DeePMD-kit v2, J. Chem. Phys. 159, 054801).

With v_j = s_j (x, y, z) / (r stddev), the angular part of the normalised environment row, and
q_jk = v_j . v_k,

    D_i = sum over types a <= b  1 / (sel_a sel_b)  sum_j of a, k of b  q_jk G_ab(q_jk)        [M]

where j and k pass all neighbours; j = k and both orders of two of one type count. A place without a
neighbour has v = 0 and adds nothing. One net for each two types of neighbours, whatever the centre.

Nets are curves of q: what is tabulated is q G(q) by asinh q (product_ranges.py), by q itself where
a model has tables in place of nets. The sum is one over triples as over neighbours
(ops/triples.py), each of which counts once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deeptf.model.descriptor.described import Described
from deeptf.model.descriptor.sum_stages import environment_stage, table_fields
from deeptf.model.descriptor.type_net_settings import ATOM_COPIES, PAIR_COPIES
from deeptf.model.descriptor.type_nets import TypeNets, normalisation
from deeptf.model.neighbor_stages import TripleNetworkSum, TripleSum
from deeptf.model.network import precision_of
from deeptf.model.parameters import Parameters
from deeptf.model.product_ranges import product_curves, shares, stored_product_curves
from deeptf.model.ranges import SHORTEST, UNKNOWN, Argument, Curves
from deeptf.model.retyping import Source
from deeptf.model.stages import Constant, Stage, net_of
from deeptf.model.table import Outside, outside_of
from deeptf.model.table_arrays import is_stored, stored_ends
from deeptf.ops.environment import environment
from deeptf.ops.moments import neighbor_sum
from deeptf.ops.pairs import SortedPairs
from deeptf.ops.triples import block_types, triple_products
from deeptf.tf import tf

SHARES = "shares"  # of a frozen model with nets in full, of each block of triples
TRIPLE_COPIES = 5  # of the product of a triple: its gradient, places on the grid; measured


@dataclass(frozen=True)
class SeE3(TypeNets):
    """Settings of the descriptor; the fields are the keys of the input file (lengths in A)."""

    type: ClassVar[str] = "se_e3"
    type_one_side: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.exclude_types:
            raise ValueError(
                f"`exclude_types` must be empty where the type is se_e3, got {self.exclude_types}"
            )
        if not isinstance(self.sel, str) and min(self.sel) < 1:
            raise ValueError(
                f"`sel` must hold numbers >= 1 where the type is se_e3, got {list(self.sel)}"
            )

    @property
    def width(self) -> int:
        """Length of the descriptor of an atom."""
        return self.neuron[-1]

    @property
    def pair_bytes(self) -> int:
        """Working memory of a pair: its triples, of which each belongs to two pairs."""
        triples = 1 if isinstance(self.sel, str) else sum(self.sel) / 2 + 1
        hidden = 0 if self.tabulated else PAIR_COPIES * sum(self.neuron)
        of_triple = tf.float64.size * TRIPLE_COPIES + precision_of(self.precision).size * hidden
        return super().pair_bytes + int(triples * of_triple)

    @property
    def atom_bytes(self) -> int:
        """Working memory of an atom: sums and their gradients."""
        return precision_of(self.precision).size * ATOM_COPIES * 3 * self.width

    def build(
        self,
        pairs: SortedPairs,
        atom_type: tf.Tensor,
        parameters: Parameters,
        type_vectors: tf.Tensor | None,
    ) -> Described:
        """Return D [N_real, M] in the order of `pairs.atom_order`, and what belongs to it."""
        mean, stddev = (parameters.fixed_array(name) for name in ("mean", "stddev"))
        rows = environment(
            pairs.displacement, pairs.centre, atom_type, mean, stddev, self.rcut_smth, self.rcut
        )
        products, count = triple_products(rows, pairs.neighbor_count)
        if self.tabulated:
            sums, outside = self._interpolated(pairs, products, count, parameters)
        else:
            sums, outside = self._evaluated(products, count, parameters), None
        alone = tf.zeros([len(self.sel), self.width], sums.dtype)
        return Described(sums[:, 0], lambda: alone, outside=outside)

    def plan(self, parameters: Parameters, type_vectors: tf.Tensor | None) -> Sequence[Stage]:
        """Return the stages whose last one gives D."""
        environment = environment_stage(self, parameters)
        names = environment.gives, parameters.name("descriptor")
        precision = precision_of(self.precision).name
        if self.tabulated:
            table = table_fields(self.table(parameters), parameters)
            return [environment, TripleSum(*names, *table, not is_stored(parameters), precision)]
        layers = range(len(self.neuron))
        nets = [net_of(name, layers, parameters) for name in self.blocks(len(self.sel))[0]]
        style = precision, self.activation_function.lower()
        share = Constant(parameters.name(SHARES))
        return [environment, TripleNetworkSum(*names, *style, nets, share)]

    def _places_with_types(self, source: Source) -> tuple[int, ...]:
        return tuple(max(self.sel) if t is None else self.sel[t] for t in source)

    def network_name(self, centre: int, neighbor: int) -> str:
        """Return the name of the embedding net of two types of neighbours."""
        return f"embedding_{min(centre, neighbor)}_{max(centre, neighbor)}"

    def blocks(self, num_types: int) -> tuple[list[str], np.ndarray]:
        """Return the names of the nets of the blocks of triples, and which of them each block uses.

        The latter is [B, B] for B blocks in place of types, whatever the type of the centre. Blocks
        of neighbours with themselves have the net of their type, with a share and a range of their
        own.
        """
        first, second = block_types(num_types)
        names = [self.network_name(*types) for types in zip(first, second, strict=True)]
        return names, np.tile(np.arange(len(names), dtype=np.int32)[:, None], len(names))

    def curves(self, parameters: Parameters) -> Curves:
        """Return the nets of the blocks of triples, and their ranges."""
        stddev = normalisation(parameters)[1][:, 1]
        shortest = parameters.array(SHORTEST, np.full((len(stddev),) * 2, UNKNOWN))
        argument = Argument(self.rcut_smth, self.rcut, np.zeros_like(stddev), stddev)
        names = self.blocks(len(stddev))[0]
        if is_stored(parameters):
            ends = stored_ends(parameters, len(names))
            return stored_product_curves(names, self.sel, argument, ends)
        return product_curves(names, self.sel, argument, shortest)

    def layout(self, parameters: Parameters) -> dict[str, tf.Tensor | np.ndarray]:
        """Return what a sum reads beside products and nets, by name.

        Blocks of triples stand for types. They have no places: those without a neighbour count
        nothing, since q G(q) is 0 at q = 0.
        """
        curve = self.blocks(len(self.sel))[1]
        values = {
            "curve": curve,
            "sel": np.zeros(len(curve)),
            "empty": np.zeros(curve.shape),
        }
        return {name: parameters.fixed(name, value) for name, value in values.items()}

    def _interpolated(
        self, pairs: SortedPairs, products: tf.Tensor, count: tf.Tensor, parameters: Parameters
    ) -> tuple[tf.Tensor, Outside]:
        """Return the sums [N_real, 1, M] by tables, and pairs beyond the range of the data.

        A pair is beyond it where its product with itself is.
        """
        layout = self.layout(parameters)
        types = len(self.sel)
        atom_count = tf.pad(pairs.atom_count, [[0, len(shares(self.sel)) - types]])
        x = products if is_stored(parameters) else tf.asinh(products)
        found = self.table(parameters).sums(x[:, None], *layout.values(), atom_count, count)
        outside, closest = (part[-types:, :types] for part in (found.outside, found.closest))
        first = tf.size(products) - tf.size(pairs.centre)
        closest = tf.where(closest < 0, closest, closest - first)
        of_pairs = found._replace(outside=outside, closest=closest)
        return found.sum, outside_of(of_pairs, pairs.displacement)

    def _evaluated(
        self, products: tf.Tensor, count: tf.Tensor, parameters: Parameters
    ) -> tf.Tensor:
        """Return the sums [N_real, 1, M] with nets evaluated in full."""
        if parameters.known(SHORTEST) is not None:
            parameters.array(SHORTEST)  # a later run may have tables
        products = tf.cast(products, precision_of(self.precision))[:, None]
        share = tf.cast(parameters.fixed(SHARES, shares(self.sel)), products.dtype)
        blocks = list(zip(*block_types(len(self.sel)), strict=True))
        parts = tf.split(products, tf.reduce_sum(count, axis=0), num=len(blocks))
        terms = []
        for block, types in enumerate(blocks):
            part = tf.ensure_shape(parts[block], [None, 1])
            value = self.net(part, *types, parameters)
            terms.append(neighbor_sum(count[:, block], share[block] * part, value))
        return tf.add_n(terms)
