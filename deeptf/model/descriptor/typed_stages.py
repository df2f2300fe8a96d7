"""The stages of a plan that give the sums over neighbours of typed_sums.py."""

from __future__ import annotations

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
from deeptf.model.network import precision_of
from deeptf.model.stages import (
    Constant,
    EmbeddingSum,
    EmptyPlaces,
    Environment,
    GatedNetworkSum,
    GatedSum,
    Layer,
    NetworkSum,
    Share,
    Stage,
    net_of,
)
from deeptf.model.table import TABLE, TABLE_GRID, TABLE_ROW


def typed_stages(typed: TypedSums) -> list[Stage] | None:
    """Return the stages whose last one gives S, or None where there are none for the net."""
    if not typed.planned:
        return None
    own, parameters = typed.own, typed.net.parameters
    precision = precision_of(own.precision).name
    statistics = _names(typed, "mean", "stddev")
    rows, sums = parameters.name("rows"), parameters.name("sums")
    environment = Environment(rows, own.columns, own.rcut_smth, own.rcut, *statistics)
    gate = {}
    if typed.net.stripped:
        share = Share(as_written(own.rcut_smth), *statistics) if own.smooth else None
        gate = {"gate": _names(typed, GATES)[0], "share": share}
    layout = dict(zip(typed.layout(), _names(typed, *typed.layout()), strict=True))
    values = rows, sums, own.columns
    if typed.tabulated:
        table = typed.table().whole
        sizes = table.width, *table.grid[2:]  # segments, near
        parts = _names(typed, TABLE, TABLE_ROW, TABLE_GRID)
        kind = GatedSum if gate else EmbeddingSum
        stage = kind(*values, *sizes, *parts, **layout, precision=precision, **gate)
    else:
        style = precision, own.activation_function.lower()
        kind = GatedNetworkSum if gate else NetworkSum
        stage = kind(*values, *style, _nets(typed), **layout, **gate)
    if not typed.adds_empty:
        return [environment, stage]
    names = _names(typed, PLACES, COUNTED, EMPTY_VALUE)
    return [environment, stage, EmptyPlaces(sums, parameters.name("all_sums"), precision, *names)]


def _names(typed: TypedSums, *names: str) -> list[Constant]:
    return [Constant(typed.net.parameters.name(name)) for name in names]


def _nets(typed: TypedSums) -> list[list[Layer]]:
    """Return the net of each curve."""
    parameters, layers = typed.net.parameters, range(len(typed.own.neuron))
    if typed.net.stripped:
        return [net_of(EMBEDDING, layers, parameters)]
    rest = net_of(EMBEDDING, layers[1:], parameters)
    biases = (f"{FIRST_BIAS}_{number}" for number in typed.numbers)
    return [[Layer(*_names(typed, FIRST, bias)), *rest] for bias in biases]
