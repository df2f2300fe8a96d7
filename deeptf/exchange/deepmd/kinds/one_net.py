"""Descriptors with one net for all types, which knows them by their vectors or by gates."""

from __future__ import annotations

from typing import Any

from deeptf.exchange.deepmd import nets, type_embedding
from deeptf.exchange.deepmd.kind import Arrays, Part
from deeptf.exchange.deepmd.masks import excluded_by_mask
from deeptf.exchange.deepmd.rows import RowsKind
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.typed_net import EMBEDDING, GATE

SIDES = {"_one_side_ebd": True, "_two_side_ebd": False}  # ends of names of gates -> one side


class OneNetKind(RowsKind):
    """A descriptor of this form; its settings are those of se_e2_a and more."""

    settings_class: type[SeE2A]
    force = ("ProdForceSeA",)
    virial = ("ProdVirialSeA",)

    def further(self, part: Part) -> dict[str, Any]:
        """Return further settings."""
        return {}

    def settings(self, part: Part) -> SeE2A:
        """Return the settings that graph and training input show."""
        pattern = _pattern(part)
        neuron = nets.widths(part.graph, pattern, 1)
        if not neuron:
            raise ValueError(f"it must hold `{part.scope('all')}/matrix_1`, but does not")
        own = self.settings_class(
            **{**self.lengths(part), "sel": self.own_sel(part)},
            neuron=neuron,
            axis_neuron=part.option("axis_neuron", int),
            activation_function=nets.activation(part.graph, pattern.format(kind="bias", layer=1)),
            resnet_dt=nets.has_time_steps(part.graph, pattern, len(neuron)),
            type_one_side=self.one_side(part),
            precision=nets.precision(part.graph, pattern.format(kind="matrix", layer=1)),
            exclude_types=excluded_by_mask(part),
            embedding="network",  # the result equals the old model to the last digits
            **self.further(part),
        )
        if part.width not in (None, own.width):
            raise ValueError(
                f"the fitting nets must take {own.width} numbers of the descriptor, got "
                f"{part.width}"
            )
        part.check_stated(own, "neuron", "exclude_types")
        return own

    def arrays(self, part: Part, own: SeE2A) -> Arrays:
        """Return statistics and nets."""
        vector = vector_width(part)
        sides = 1 if self.one_side(part) else 2
        end = gate_end(part)
        arrays = self.statistics(part)
        inputs = 1 if end else 1 + sides * vector
        for name, last, n_in in ((EMBEDDING, "", inputs), (GATE, end, sides * vector)):
            if name == EMBEDDING or end:
                place = _pattern(part) + last, f"{name}/", (n_in, *own.neuron)
                arrays |= nets.embedding_net(part.graph, *place, own.resnet_dt)
        return arrays

    def own_sel(self, part: Part) -> int | tuple[int, ...]:
        """Return the places as the settings have them."""
        sel = self.sel_of(part)
        return sum(sel) if self.mixed else sel

    def one_side(self, part: Part) -> bool:
        """Return whether the type of the centre does not count."""
        if end := gate_end(part):
            return SIDES[end]
        inputs = len(part.graph.array(_pattern(part).format(kind="matrix", layer=1)))
        return inputs == 1 + vector_width(part)


def gate_end(part: Part) -> str | None:
    """Return how the names of the arrays of the gate end, or None without a gate."""
    first = _pattern(part).format(kind="matrix", layer=1)
    return next((end for end in SIDES if first + end in part.graph), None)


def vector_width(part: Part) -> int:
    """Return the length of the vectors of types."""
    return nets.widths(part.graph, type_embedding.PATTERN, 1)[-1]


def _pattern(part: Part) -> str:
    return f"{part.scope('all')}/{{kind}}_{{layer}}"
