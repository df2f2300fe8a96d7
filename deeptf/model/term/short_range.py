"""What is beside a term where atoms come closer than in its data: a wall, or energies of pairs.

A wall adds energies of pairs that nothing trains (pair_potential.py). A blend puts them in place of
the energy of an atom as its neighbours come near, in the way of deepmd-kit's `use_srtab`:

    E_i = s_i (V_i + bias_c) + (1 - s_i) E_i^net    V_i = 1/2 sum_j u(r_ij)

with s_i from 1 to 0 by the soft minimum of the distances of the neighbours (ops/short_range.py).
Since each of these depends on the pairs of its own centre, the gradient of a pair is

    s_i dV_i + (1 - s_i) dE_i^net + (V_i + bias_c - E_i^net) ds_i    i its centre

whatever the term; every derivative in weights goes through the two parts of the net.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.inputs import Inputs
from deeptf.model.pair_potential import PairPotential
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.scopes import below, in_scopes
from deeptf.model.short_range_stages import Blend, SoftMinimum
from deeptf.model.stages import Constant, TermPlan
from deeptf.model.term.standard import ENERGY_BIAS
from deeptf.model.term.term import TermOutputs
from deeptf.ops.pairs import SortedPairs, of_centres
from deeptf.ops.short_range import CentreValues, soft_minimum
from deeptf.properties import ATOM_ENERGY
from deeptf.tf import tf

SCOPE = "short_range"  # of the arrays
GRADIENT = 24  # bytes of that of a pair


@dataclass(frozen=True)
class ShortRange:
    """Energies of pairs beside a term.

    lengths : alpha, rmin and rmax of a blend in A; None adds them
    with_bias : whether the energy bias of the fitting nets belongs to what a blend puts in place
    """

    potential: PairPotential
    lengths: tuple[float, float, float] | None = None
    with_bias: bool = False

    @property
    def pair_bytes(self) -> int:
        """Working memory of a pair."""
        return GRADIENT if self.lengths is None else 4 * GRADIENT

    def arrays(self, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the arrays by their names in the model, and lines about them."""
        own, lines = self.potential.arrays(type_map)
        return in_scopes({SCOPE: own}), lines

    def arrays_with_types(
        self, arrays: Mapping[str, np.ndarray], source: Source, type_map: Sequence[str]
    ) -> Arrays:
        """Return the arrays for other types, see retyping.py."""
        own = self.potential.arrays_with_types(below(arrays, SCOPE), source, type_map)
        return in_scopes({SCOPE: own})

    def build(
        self, term: TermOutputs, inputs: Inputs, pairs: SortedPairs, parameters: Parameters
    ) -> TermOutputs:
        """Return what a term gives, with the energies of pairs beside or in place of its own."""
        own = self.energies(inputs, pairs, parameters)
        if self.lengths is None:
            energy, gradient = term.atom_energy + own.value, term.pair_gradient + own.pair_gradient
        else:
            if self.with_bias:
                bias = tf.repeat(parameters.array(ENERGY_BIAS), pairs.atom_count)
                own = own._replace(value=own.value + bias)
            switch = soft_minimum(pairs, inputs.atom_type, self.lengths)
            energy, gradient = _blended(term, own, switch, pairs)
        return replace(term, atom_energy=energy, pair_gradient=gradient)

    def energies(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> CentreValues:
        """Return the energies of the centres by their pairs alone, and their gradient."""
        return self.potential.energies(inputs, pairs, parameters.scope(SCOPE))

    def plan(self, terms: Sequence[TermPlan], parameters: Parameters) -> list[TermPlan]:
        """Return the plan of a model from that of its term, the first one of a blend."""
        scope = parameters.scope(SCOPE)
        energies = self.potential.stage(scope)
        name = ATOM_ENERGY.name
        if self.lengths is None:
            return [*terms, TermPlan(SCOPE, [energies], {name: energies.gives})]
        [term] = terms
        switch = SoftMinimum(scope.name("switch"), *self.lengths)
        taken = switch.gives, energies.gives, term.values[name]
        added = Constant(parameters.name(ENERGY_BIAS)) if self.with_bias else None
        blend = Blend(taken, scope.name("blend"), added)
        stages = [*term.stages, energies, switch, blend]
        return [replace(term, stages=stages, values={**term.values, name: blend.gives})]


def _blended(
    term: TermOutputs, own: CentreValues, switch: CentreValues, pairs: SortedPairs
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return energies of the atoms and the gradient of their sum in the displacements."""
    difference = own.value - term.atom_energy
    energy = term.atom_energy + switch.value * difference
    of_pairs = of_centres(tf.stack([switch.value, difference], axis=1), pairs)
    share, change = of_pairs[:, :1], of_pairs[:, 1:]
    gradient = share * own.pair_gradient + (1 - share) * term.pair_gradient
    return energy, gradient + change * switch.pair_gradient
