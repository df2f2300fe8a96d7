"""The stages of a plan that give the sums over neighbours of type_nets.py."""

from __future__ import annotations

from deeptf.model.descriptor.type_nets import TypeNets
from deeptf.model.network import precision_of
from deeptf.model.parameters import Parameters
from deeptf.model.stages import Constant, EmbeddingSum, Environment, NetworkSum, Stage, net_of
from deeptf.model.table import TABLE, TABLE_GRID, TABLE_ROW


def sum_stages(own: TypeNets, parameters: Parameters) -> list[Stage]:
    """Return the stages of descriptors with these settings whose last one gives S."""
    rows = parameters.name("rows")
    mean, stddev = (Constant(parameters.name(name)) for name in ("mean", "stddev"))
    environment = Environment(rows, own.columns, own.rcut_smth, own.rcut, mean, stddev)
    return [environment, _sum(own, rows, parameters)]


def _sum(own: TypeNets, rows: str, parameters: Parameters) -> EmbeddingSum | NetworkSum:
    layout = {name: Constant(parameters.name(name)) for name in own.layout(parameters)}
    values = rows, parameters.name("sums"), own.columns
    if own.tabulated:
        table = own.table(parameters).whole
        sizes = table.width, *table.grid[2:]  # segments, near
        parts = (Constant(parameters.name(name)) for name in (TABLE, TABLE_ROW, TABLE_GRID))
        precision = precision_of(own.precision).name
        return EmbeddingSum(*values, *sizes, *parts, **layout, precision=precision)
    names, layers = own.blocks(len(own.sel))[0], range(len(own.neuron))
    nets = [net_of(name, layers, parameters) for name in names]
    style = precision_of(own.precision).name, own.activation_function.lower()
    return NetworkSum(*values, *style, nets, **layout)
