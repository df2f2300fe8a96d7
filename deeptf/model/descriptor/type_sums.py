"""The sums S over neighbours of type_nets.py as tensors, by tables or by the nets themselves."""

from __future__ import annotations

from deeptf.model.descriptor.network_sums import NetworkSums
from deeptf.model.descriptor.type_nets import TypeNets, empty_row
from deeptf.model.descriptor.typed_sums import TypedSums
from deeptf.model.parameters import Parameters
from deeptf.model.ranges import SHORTEST
from deeptf.model.table import Outside, outside_of
from deeptf.ops.curve import EmbeddingSums
from deeptf.ops.environment import environment
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf


def sums(
    own: TypeNets,
    pairs: SortedPairs,
    atom_type: tf.Tensor,
    parameters: Parameters,
    typed: TypedSums | None = None,
) -> tuple[tf.Tensor, Outside | None]:
    """Return S [N_real, W, M] and, with tables, the pairs beyond the range of the data."""
    mean, stddev = (parameters.fixed_array(name) for name in ("mean", "stddev"))
    rows = environment(
        pairs.displacement, pairs.centre, atom_type, mean, stddev, own.rcut_smth, own.rcut
    )  # [P, W]
    if typed is not None:
        return typed.of(pairs, atom_type, rows)
    if own.tabulated:
        found = _interpolated(own, rows, pairs.atom_count, pairs.neighbor_count, parameters)
        return found.sum, outside_of(found, pairs.displacement)
    if parameters.known(SHORTEST) is not None:
        parameters.array(SHORTEST)  # a later run may have tables
    return NetworkSums(own, parameters).of(pairs, rows), None


def isolated_sums(
    own: TypeNets, parameters: Parameters, typed: TypedSums | None = None
) -> tf.Tensor:
    """Return S of an atom without neighbours of each type, [T, W, M]."""
    if typed is not None:
        return typed.isolated()
    if not own.tabulated:
        return NetworkSums(own, parameters).isolated()
    types = len(empty_row(parameters))
    none = tf.zeros([0, own.columns], tf.float64)
    alone = tf.ones([types], tf.int32), tf.zeros([types, types], tf.int32)
    return _interpolated(own, none, *alone, parameters).sum


def _interpolated(
    own: TypeNets,
    rows: tf.Tensor,
    atom_count: tf.Tensor,
    neighbor_count: tf.Tensor,
    parameters: Parameters,
) -> EmbeddingSums:
    layout = own.layout(parameters).values()
    return own.table(parameters).sums(rows, *layout, atom_count, neighbor_count)
