"""Descriptors with one net for all types, which knows them by their vectors or by gates."""

from __future__ import annotations

from typing import Any

import numpy as np

from deeptf.exchange.deepmd import nets, type_embedding
from deeptf.exchange.deepmd.kind import Arrays, Part
from deeptf.exchange.deepmd.masks import excluded_by_mask
from deeptf.exchange.deepmd.pieces import read_pieces, table_arrays
from deeptf.exchange.deepmd.rows import RowsKind
from deeptf.exchange.deepmd.tabulate import FUSION
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.descriptor.typed_net import EMBEDDING, GATE, STORED_GATE
from deeptf.tf import tf

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
        of_nets = self._of_nets(part)
        width = of_nets["neuron"][-1]
        alone = part.width is not None and "axis_neuron" not in part.section
        own = self.settings_class(
            **{**self.lengths(part), "sel": self.own_sel(part)},
            **of_nets,
            axis_neuron=part.width // width if alone else part.option("axis_neuron", int),
            type_one_side=self.one_side(part),
            exclude_types=excluded_by_mask(part),
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
        arrays = self.statistics(part)
        if node := _fusion(part):
            table = table_arrays([read_pieces(part.graph, node)])
            return arrays | table | {STORED_GATE: _gate_values(part, own, node)}
        sides, vector, end = 1 if self.one_side(part) else 2, vector_width(part), gate_end(part)
        inputs = 1 if end else 1 + sides * vector
        place = part.graph, _pattern(part), f"{EMBEDDING}/", (inputs, *own.neuron), own.resnet_dt
        arrays |= nets.embedding_net(*place)
        if end:
            place = _pattern(part) + end, f"{GATE}/", (sides * vector, *own.neuron), own.resnet_dt
            arrays |= nets.embedding_net(part.graph, *place)
        return arrays

    def own_sel(self, part: Part) -> int | tuple[int, ...]:
        """Return the places as the settings have them."""
        sel = self.sel_of(part)
        return sum(sel) if self.mixed else sel

    def one_side(self, part: Part) -> bool:
        """Return whether the type of the centre does not count."""
        if _fusion(part):
            return len(_gates(part)) == part.num_types + 1
        if end := gate_end(part):
            return SIDES[end]
        inputs = len(part.graph.array(_pattern(part).format(kind="matrix", layer=1)))
        return inputs == 1 + vector_width(part)

    def _of_nets(self, part: Part) -> dict[str, Any]:
        """Return the settings of the nets, or of a table in their place."""
        if _fusion(part):
            return part.of_tables()
        pattern = _pattern(part)
        neuron = nets.widths(part.graph, pattern, 1)
        if not neuron:
            raise ValueError(f"it must hold `{part.scope('all')}/matrix_1`, but does not")
        return {
            "neuron": neuron,
            "activation_function": nets.activation(
                part.graph, pattern.format(kind="bias", layer=1)
            ),
            "resnet_dt": nets.has_time_steps(part.graph, pattern, len(neuron)),
            "precision": nets.precision(part.graph, pattern.format(kind="matrix", layer=1)),
            "embedding": "network",  # the result equals the old model to the last digits
        }


def has_gates(part: Part) -> bool:
    """Return whether the net of types makes gates, or a table of them is there."""
    return gate_end(part) is not None or _fusion(part) is not None


def gate_end(part: Part) -> str | None:
    """Return how the names of the arrays of the gate end, or None without a gate."""
    first = _pattern(part).format(kind="matrix", layer=1)
    return next((end for end in SIDES if first + end in part.graph), None)


def vector_width(part: Part) -> int:
    """Return the length of the vectors of types."""
    return nets.widths(part.graph, type_embedding.PATTERN, 1)[-1]


def _pattern(part: Part) -> str:
    return f"{part.scope('all')}/{{kind}}_{{layer}}"


def _fusion(part: Part) -> tf.NodeDef | None:
    """Return the op that reads the table in place of nets, if there is one."""
    return part.graph.nodes.get(f"{part.scope('all')}/{FUSION}SeAtten")


def _gates(part: Part) -> np.ndarray:
    """Return the gates of neighbour types, or of centre and neighbour types, [.., M].

    The last type of a neighbour is that of a place without one.
    """
    return part.graph.array(f"{part.scope('all')}/embedding_lookup/params_0")


def _gate_values(part: Part, own: SeE2A, node: tf.NodeDef) -> np.ndarray:
    """Return the gates as deeptf has them, [T + 1, T, M] by neighbour and centre type."""
    gates, types, width = _gates(part), part.num_types, own.neuron[-1]
    places = types + 1
    if gates.shape == (places, width):
        return np.repeat(gates[:, None], types, axis=1)
    if gates.shape != (places**2, width):
        raise ValueError(
            f"the gates of `{node.name}` must have {places} or {places**2} rows of {width}, got "
            f"shape {gates.shape}"
        )
    return gates.reshape(places, places, width)[:types].swapaxes(0, 1)
