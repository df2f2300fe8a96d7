"""Parameters of frames and atoms as further inputs of fitting nets, with mean 0 and spread 1."""

from __future__ import annotations

from collections.abc import Sequence

from deeptf.data.energy_bias import parameter_statistics
from deeptf.data.statistics import Found
from deeptf.model.descriptor.described import Arrays
from deeptf.model.inputs import Inputs
from deeptf.model.parameters import Parameters
from deeptf.model.stages import Constant, Standardised
from deeptf.ops.pairs import SortedPairs
from deeptf.tf import tf


def condition_arrays(names: Sequence[str], found: Found) -> Arrays:
    """Return mean and spread of the parameters `names`, "fparam" or "aparam", over the data."""
    arrays = {}
    for name in names:
        mean, stddev = parameter_statistics(found.systems, name, found.protect)
        arrays |= {f"{name}_mean": mean, f"{name}_stddev": stddev}
    return arrays


def conditions_of_atoms(
    names: Sequence[str], inputs: Inputs, pairs: SortedPairs, parameters: Parameters
) -> tf.Tensor | None:
    """Return the parameters of the sorted atoms, (value - mean) / stddev; None without any."""
    columns = []
    for name in names:
        mean, stddev = (parameters.fixed_array(f"{name}_{kind}") for kind in ("mean", "stddev"))
        value, place = (getattr(inputs, name) - mean) / stddev, pairs.atom_order
        if name == "fparam":
            place = tf.gather(inputs.frame_of_atom, place)
        columns.append(tf.gather(value, place))
    return tf.concat(columns, axis=1) if columns else None


def standardised(names: Sequence[str], parameters: Parameters) -> dict[str, Standardised]:
    """Return how a stage finds mean and spread of the parameters `names`."""
    return {
        name: Standardised(
            *(Constant(parameters.name(f"{name}_{kind}")) for kind in ("mean", "stddev"))
        )
        for name in names
    }
