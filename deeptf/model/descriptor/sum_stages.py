"""The stages of a plan that give the sums over neighbours of type_nets.py."""

from __future__ import annotations

from deeptf.model.descriptor.type_nets import TypeNets
from deeptf.model.neighbor_stages import EmbeddingSum, NetworkSum
from deeptf.model.network import precision_of
from deeptf.model.parameters import Parameters
from deeptf.model.stages import Constant, Environment, Stage, net_of
from deeptf.model.table import Table
from deeptf.model.table_arrays import TABLE, TABLE_GRID, TABLE_ROW


def sum_stages(own: TypeNets, parameters: Parameters) -> list[Stage]:
    """Return the stages of descriptors with these settings whose last one gives S."""
    environment = environment_stage(own, parameters)
    return [environment, _sum(own, environment.gives, parameters)]


def environment_stage(own: TypeNets, parameters: Parameters) -> Environment:
    """Return the stage of the environment rows."""
    mean, stddev = (Constant(parameters.name(name)) for name in ("mean", "stddev"))
    lengths = own.rcut_smth, own.rcut
    return Environment(parameters.name("rows"), own.columns, *lengths, mean, stddev)


def table_fields(table: Table, parameters: Parameters) -> tuple[int | Constant, ...]:
    """Return width, segments, near, nodes, node_row and grid of a stage with a table."""
    whole = table.whole
    parts = (Constant(parameters.name(name)) for name in (TABLE, TABLE_ROW, TABLE_GRID))
    return whole.width, *whole.grid[2:], *parts


def _sum(own: TypeNets, rows: str, parameters: Parameters) -> EmbeddingSum | NetworkSum:
    layout = {name: Constant(parameters.name(name)) for name in own.layout(parameters)}
    values = rows, parameters.name("sums"), own.columns
    if own.tabulated:
        table, precision = table_fields(own.table(parameters), parameters), own.precision
        return EmbeddingSum(*values, *table, **layout, precision=precision_of(precision).name)
    names, layers = own.blocks(len(own.sel))[0], range(len(own.neuron))
    nets = [net_of(name, layers, parameters) for name in names]
    style = precision_of(own.precision).name, own.activation_function.lower()
    return NetworkSum(*values, *style, nets, **layout)
