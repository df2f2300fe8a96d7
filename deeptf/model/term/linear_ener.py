"""Several terms at once: E = sum_k w_k E_k, each with settings and arrays of its own.

Part k has its own cut-off, statistics, nets and energy bias, in the scope "k"; what it has where
atoms are near (part.py) is in E_k. A part with a shorter cut-off than the longest gets the pairs
within its own alone. Parts that train share the energy bias of what nothing trains leaves of the
labels (train/untrained.py). Parts may be sums again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np

from deeptf.data.energy_bias import Energies
from deeptf.data.statistics import Collector, Found
from deeptf.data.system import System
from deeptf.model.descriptor.described import Arrays, Lines
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.retyping import Source
from deeptf.model.roles import FUNCTION
from deeptf.model.scopes import below, in_numbered_scopes
from deeptf.model.stages import Scaled, TermPlan, with_pairs_within
from deeptf.model.table import Table, joined
from deeptf.model.term.part import Part
from deeptf.model.term.term import Needs, TermOutputs
from deeptf.ops.pairs import SortedPairs, pairs_within
from deeptf.properties import ATOM_ENERGY, ENERGIES, Property
from deeptf.tf import tf

Weights = Literal["mean", "sum"] | tuple[float, ...]


@dataclass(frozen=True)
class LinearEner:
    """Settings of the parts, and their weights."""

    type: ClassVar[str] = "linear_ener"
    models: tuple[Part, ...]
    weights: Weights = field(
        metadata={"role": FUNCTION, "meaning": lambda owner: owner.factors},
    )

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("`models` must hold the parts of a sum of models, got none")
        if not isinstance(self.weights, str) and len(self.weights) != len(self.models):
            raise ValueError(
                f'`weights` must be "mean", "sum" or one number for each of {len(self.models)} '
                f"`models`, got {list(self.weights)}"
            )
        for name in ("numb_fparam", "numb_aparam"):
            numbers = [getattr(needs, name) for needs in self._needs]
            if len(set(numbers) - {0}) > 1:
                raise ValueError(
                    f"`{name}` must be the same in all `models` that have one, got {numbers}"
                )
        for number, (part, needs) in enumerate(zip(self.models, self._needs, strict=True)):
            if getattr(part.term, "spin", None) is not None:
                raise ValueError(f"models[{number}] must not have spins, got `spin`")
            if needs.masked:
                raise ValueError(
                    f"models[{number}] must not take a mask of atoms (`use_aparam_as_mask`)"
                )
            given = [row.name for row in part.gives(0)]
            if ATOM_ENERGY.name not in given:
                raise ValueError(
                    f"models[{number}] must give energies, got one that gives {', '.join(given)}"
                )

    @property
    def factors(self) -> tuple[float, ...]:
        """The weights as numbers."""
        number = len(self.models)
        known = {"mean": (1.0 / number,) * number, "sum": (1.0,) * number}
        return known[self.weights] if isinstance(self.weights, str) else self.weights

    @property
    def fixed(self) -> bool:
        """Whether nothing trains any part."""
        return all(part.fixed for part in self.models)

    @property
    def _needs(self) -> list[Needs]:
        return [part.needs() for part in self.models]

    def needs(self) -> Needs:
        """Return what all parts need."""
        each = self._needs
        return Needs(
            max(needs.rcut for needs in each),
            max(needs.hops for needs in each),
            tuple(door for door in each[0].doors if all(door in needs.doors for needs in each)),
            max(needs.numb_fparam for needs in each),
            max(needs.numb_aparam for needs in each),
            pair_bytes=sum(needs.pair_bytes for needs in each),
            atom_bytes=sum(needs.atom_bytes for needs in each),
        )

    def gives(self, num_types: int) -> Sequence[Property]:
        """Return that it gives energies."""
        return ENERGIES

    def check_types(self, num_types: int) -> None:
        """Raise ValueError where a part does not fit the number of types."""
        for number, part in enumerate(self.models):
            with _naming(number):
                part.check_types(num_types)

    def check_names(self, type_map: Sequence[str]) -> None:
        """Raise ValueError where a part does not fit the names of types."""
        for number, part in enumerate(self.models):
            with _naming(number):
                part.check_names(type_map)

    def open_types(self) -> int:
        """Return the least number of types that a part speaks of."""
        return max(part.open_types() for part in self.models)

    def with_open_of(self, old: LinearEner) -> LinearEner:
        """Return the settings with what parts leave open taken from those of `old`."""
        if [type(one.term) for one in self.models] != [type(one.term) for one in old.models]:
            return self
        pairs = zip(self.models, old.models, strict=True)
        return replace(self, models=tuple(part.with_open_of(one) for part, one in pairs))

    def collectors(self, num_types: int) -> list[Collector]:
        """Return what the parts want to know of the data."""
        return [one for part in self.models for one in part.collectors(num_types)]

    def decide(self, found: Found) -> tuple[LinearEner, Lines]:
        """Return the settings with nothing left open."""
        decided, notes = zip(*(part.decide(found) for part in self.models), strict=True)
        return replace(self, models=decided), _named(notes)

    def fixed_arrays(self, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the arrays of parts that nothing trains."""
        made = (part.fixed_arrays(type_map) for part in self.models)
        arrays, notes = zip(*made, strict=True)
        return in_numbered_scopes(arrays), _named(notes)

    def first_arrays(self, found: Found, type_map: Sequence[str]) -> tuple[Arrays, Lines]:
        """Return the arrays of all parts of a new model."""
        made = (part.first_arrays(found, type_map) for part in self.models)
        arrays, notes = zip(*made, strict=True)
        return in_numbered_scopes(arrays), _named(notes)

    def seen(self, found: Found) -> Arrays:
        """Return those of them that say which data the model has seen."""
        return in_numbered_scopes(part.seen(found) for part in self.models)

    def extended(self, arrays: Mapping[str, np.ndarray], found: Found) -> tuple[Arrays, Lines]:
        """Return those arrays of a trained model that further data change."""
        made = [part.extended(own, found) for part, own in self._with_arrays(arrays)]
        changed, notes = zip(*made, strict=True)
        return in_numbered_scopes(changed), list(dict.fromkeys(sum(notes, [])))

    def refitted(
        self,
        arrays: Mapping[str, np.ndarray],
        systems: Sequence[System],
        left: Sequence[Energies],
        type_map: Sequence[str],
    ) -> tuple[Arrays, Lines]:
        """Return those arrays of a trained model that make up for what is left of energies.

        Of changes d_k of the parts with sum_k w_k d_k = d, the energy that is left, it takes the
        smallest ones, d_k = d w_k / sum w^2 over the parts that can change.
        """
        can_change = [
            k
            for k, (part, weight) in enumerate(zip(self.models, self.factors, strict=True))
            if weight and not part.fixed
        ]
        square = sum(self.factors[k] ** 2 for k in can_change)
        changed: list[Arrays] = [{} for _ in self.models]
        notes: list[Lines] = [[] for _ in self.models]
        for k in can_change:
            share = self.factors[k] / square
            given = systems, [(energy * share, frames) for energy, frames in left], type_map
            changed[k], notes[k] = self.models[k].refitted(below(arrays, str(k)), *given)
        return in_numbered_scopes(changed), _named(notes)

    def trained_bias(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return what biases of parts that train add to the energy of each type, [T] eV."""
        each = zip(self._with_arrays(arrays), self.factors, strict=True)
        return sum(weight * part.trained_bias(own) for (part, own), weight in each)

    def untrained_energy(
        self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters
    ) -> tf.Tensor:
        """Return the energies of atoms by what nothing trains in the parts, [N_real] eV."""
        return tf.add_n(
            [
                weight * part.untrained_energy(inputs, self._near(part, pairs), scope)
                for (part, scope), weight in zip(
                    self._in_scopes_of(parameters), self.factors, strict=True
                )
            ]
        )

    def with_types(self, source: Source) -> LinearEner:
        """Return the settings for other types."""
        return replace(self, models=tuple(part.with_types(source) for part in self.models))

    def arrays_with_types(
        self, arrays: Mapping[str, np.ndarray], source: Source, type_map: Sequence[str]
    ) -> Arrays:
        """Return the arrays for other types."""
        each = self._with_arrays(arrays)
        return in_numbered_scopes(
            part.arrays_with_types(own, source, type_map) for part, own in each
        )

    def build(self, inputs: Inputs, pairs: SortedPairs, parameters: Parameters) -> TermOutputs:
        """Return weighted sums of energies and gradients."""
        parts = [
            self._of_part(part, inputs, pairs, scope)
            for part, scope in self._in_scopes_of(parameters)
        ]
        energy, gradient = (
            tf.add_n([w * getattr(one, name) for w, one in zip(self.factors, parts, strict=True)])
            for name in ("atom_energy", "pair_gradient")
        )
        return TermOutputs(energy, gradient, outside=joined(one.outside for one in parts))

    def _of_part(
        self, part: Part, inputs: Inputs, pairs: SortedPairs, parameters: Parameters
    ) -> TermOutputs:
        """Return what a part says, with its gradient in all pairs."""
        near = self._near(part, pairs)
        found = part.build(inputs, near, parameters)
        if near is pairs:
            return found
        gradient = tf.gradients(near.displacement, pairs.displacement, found.pair_gradient)[0]
        return replace(found, pair_gradient=gradient)

    def _near(self, part: Part, pairs: SortedPairs) -> SortedPairs:
        """Return those of all pairs that are within the cut-off of a part."""
        rcut = part.needs().rcut
        return pairs if rcut >= self.needs().rcut else pairs_within(pairs, rcut)

    def plan(self, parameters: Parameters, num_types: int) -> list[TermPlan] | None:
        """Return the plans of all parts, each with its energy times the weight."""
        terms: list[TermPlan] = []
        scopes = self._in_scopes_of(parameters)
        for (part, scope), weight in zip(scopes, self.factors, strict=True):
            own = part.plan(scope, num_types)
            if own is None:
                return None
            for term in own:
                stages, energy = term.stages, term.values[ATOM_ENERGY.name]
                if part.needs().rcut < self.needs().rcut:
                    stages = with_pairs_within(stages, part.needs().rcut, scope.name("pairs"))
                if weight != 1.0:
                    scaled = Scaled(energy, scope.name("scaled_energy"), weight)
                    stages, energy = [*stages, scaled], scaled.gives
                terms.append(TermPlan(term.type, stages, {ATOM_ENERGY.name: energy}))
        return terms

    def tables(self, parameters: Parameters, num_types: int) -> list[Table]:
        """Return the tables of all parts."""
        each = self._in_scopes_of(parameters)
        return [table for part, scope in each for table in part.tables(scope, num_types)]

    def _in_scopes_of(self, parameters: Parameters) -> Iterator[tuple[Part, Parameters]]:
        return ((part, parameters.scope(str(k))) for k, part in enumerate(self.models))

    def _with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Iterator[tuple[Part, Arrays]]:
        return ((part, below(arrays, str(k))) for k, part in enumerate(self.models))


@contextmanager
def _naming(number: int) -> Iterator[None]:
    """Put the part before the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"models[{number}]: {error}") from error


def _named(notes: Sequence[Lines]) -> Lines:
    """Return the lines of all parts with their numbers."""
    return [f"models[{k}]: {line}" for k, own in enumerate(notes) for line in own]
