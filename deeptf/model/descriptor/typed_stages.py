"""The stages of a plan that give the sums over neighbours of typed_sums.py and attention.py."""

from __future__ import annotations

from typing import Any

from deeptf.model.descriptor.attention import (
    NORM,
    OUTPUT,
    PARTS,
    SCALE,
    SHIFT,
    AttentionSums,
)
from deeptf.model.descriptor.typed_net import EMBEDDING
from deeptf.model.descriptor.typed_sums import (
    COUNTED,
    EMPTY_VALUE,
    FIRST,
    FIRST_BIAS,
    GATES,
    PLACES,
    TypedSums,
    as_written,
)
from deeptf.model.neighbor_stages import (
    AttentionLayer,
    AttentionSum,
    EmbeddingSum,
    EmptyPlaces,
    GatedNetworkSum,
    GatedSum,
    NetworkSum,
    PairNetwork,
    Share,
)
from deeptf.model.network import precision_of
from deeptf.model.stages import Constant, Environment, Layer, Stage, net_of
from deeptf.model.table_arrays import TABLE, TABLE_GRID, TABLE_ROW


def typed_stages(typed: TypedSums) -> list[Stage] | None:
    """Return the stages whose last one gives S, or None where there are none for the net."""
    if not typed.planned:
        return None
    own, parameters = typed.own, typed.net.parameters
    precision = precision_of(own.precision).name
    statistics = _names(typed, "mean", "stddev")
    rows, sums = parameters.name("rows"), parameters.name("sums")
    environment = Environment(rows, own.columns, own.rcut_smth, own.rcut, *statistics)
    share = Share(as_written(own.rcut_smth), *statistics) if own.smooth else None
    layout = dict(zip(typed.layout(), _names(typed, *typed.layout()), strict=True))
    values = rows, sums, own.columns
    gate = {"gate": _names(typed, GATES)[0], "share": share} if typed.net.stripped else {}
    if isinstance(typed, AttentionSums):
        stages = _attention(typed, rows, sums, layout["curve"], share, gate)
    elif typed.tabulated:
        table = typed.table().whole
        sizes = table.width, *table.grid[2:]  # segments, near
        parts = _names(typed, TABLE, TABLE_ROW, TABLE_GRID)
        kind = GatedSum if gate else EmbeddingSum
        stages = [kind(*values, *sizes, *parts, **layout, precision=precision, **gate)]
    else:
        kind = GatedNetworkSum if gate else NetworkSum
        stages = [kind(*values, **_network(typed), **layout, **gate)]
    if not typed.adds_empty:
        return [environment, *stages]
    names = _names(typed, PLACES, COUNTED, EMPTY_VALUE)
    empty = EmptyPlaces(sums, parameters.name("all_sums"), precision, *names)
    return [environment, *stages, empty]


def _names(typed: TypedSums, *names: str) -> list[Constant]:
    return [Constant(typed.net.parameters.name(name)) for name in names]


def _network(typed: TypedSums) -> dict[str, Any]:
    """Return the fields of a stage that say what the nets of the curves are."""
    parameters, own = typed.net.parameters, typed.own
    net, biases = net_of(EMBEDDING, range(len(own.neuron)), parameters), None
    if not typed.net.stripped:
        first, biases = _names(typed, FIRST, FIRST_BIAS)
        net[0] = Layer(first, net[0].bias)
    style = {"activation": own.activation_function.lower(), "first_bias": biases}
    return {"precision": precision_of(own.precision).name, "nets": [net], **style}


def _attention(
    typed: AttentionSums,
    rows: str,
    sums: str,
    curve: Constant,
    share: Share | None,
    gate: dict[str, Any],
) -> list[Stage]:
    """Return the net of the pairs, and the layers with the sum behind them."""
    parameters = typed.net.parameters
    of_pairs = PairNetwork(rows, parameters.name("values"), **_network(typed), curve=curve, **gate)
    layers = []
    for name in typed.layers:
        *parts, output = net_of(name, (*PARTS, OUTPUT), parameters)
        norm = _names(typed, *(f"{name}/{NORM}/{part}" for part in (SCALE, SHIFT)))
        layers.append(AttentionLayer(*parts, output, *norm))
    places, _, dotr, diagonal = typed.form
    form = typed.epsilon, places, dotr, diagonal, curve, share
    taken = of_pairs.gives, rows
    return [of_pairs, AttentionSum(taken, sums, of_pairs.precision, layers, *form)]
