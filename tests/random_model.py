"""Arrays of a model of any kind, drawn at random."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from deeptf.model.descriptor.hybrid import Hybrid
from deeptf.model.descriptor.loc_frame import LocFrame
from deeptf.model.model import MODIFIER, ModelConfig
from deeptf.model.pair_potential import TablePotential
from deeptf.model.parameters import Parameters
from deeptf.model.scopes import in_numbered_scopes
from deeptf.model.table import measured_arrays
from deeptf.model.table_arrays import NODES, RANGE
from deeptf.model.term.frozen import Frozen
from deeptf.model.term.linear_ener import LinearEner
from deeptf.model.term.pairtab import PairTab
from deeptf.tf import session, tf


def descriptors(descriptor: Any, scope: str = "descriptor") -> Iterator[tuple[str, Any]]:
    """Yield a descriptor, or the parts of a hybrid, with the scopes of their arrays."""
    if isinstance(descriptor, Hybrid):
        for number, part in enumerate(descriptor.list):
            yield from descriptors(part, f"{scope}/{number}")
    else:
        yield scope, descriptor


def random_arrays(config: ModelConfig, seed: int = 0, spread: float = 1.0) -> dict[str, np.ndarray]:
    """Return weights drawn as for training, and statistics of a plausible size."""
    rng = np.random.default_rng(seed)
    types = config.num_types
    if isinstance(config.term, LinearEner):
        parts = (
            random_arrays(config.of(part), seed + k, spread)
            for k, part in enumerate(config.term.models)
        )
        return in_numbered_scopes(parts) | short_range_arrays(config)
    if isinstance(config.term, PairTab):
        own = table_arrays(config.term.potential, types, "pair_table")
        return own | short_range_arrays(config)
    if isinstance(config.term, Frozen):
        return random_arrays(config.of(config.term.model), seed, spread)
    statistics = short_range_arrays(config)
    of_energies = types if config.term.spin is None else config.term.spin.num_real
    statistics |= {"fitting/energy_bias": rng.normal(-10, 3, of_energies)}
    statistics["fitting/constant"] = rng.normal(size=types)  # of polarizabilities
    statistics |= modifier_arrays(config, seed)
    for scope, part in descriptors(config.term.descriptor):
        if isinstance(part, LocFrame):
            statistics[f"{scope}/mean"] = rng.uniform(0.0, 0.2, (types, part.width))
            statistics[f"{scope}/stddev"] = rng.uniform(0.2, 0.4, (types, part.width))
            continue
        statistics |= {
            f"{scope}/mean": np.zeros((types, part.columns)),
            f"{scope}/stddev": np.tile([0.2, 0.1, 0.1, 0.1][: part.columns], (types, 1)),
        }
        if not part.set_davg_zero:
            statistics[f"{scope}/mean"][:, 0] = rng.uniform(0.05, 0.1, types)
    for name in config.term.fitting_net.conditions:
        number = getattr(config.term.fitting_net, f"numb_{name}")
        statistics[f"fitting/{name}_mean"] = rng.normal(size=number)
        statistics[f"fitting/{name}_stddev"] = rng.uniform(1, 2, number)
    with tf.Graph().as_default():
        parameters = Parameters(statistics, seed)
        config.build(config.inputs(), parameters)
        with session() as run:
            run.run(tf.global_variables_initializer())
            weights = run.run(parameters.variables)
    weights = {k: v if k in statistics else spread * v for k, v in weights.items()}
    arrays = {**weights, **parameters.constants}
    return arrays | table_nodes(config, arrays)


def modifier_arrays(config: ModelConfig, seed: int = 0) -> dict[str, np.ndarray]:
    """Return arrays of the model of dipoles in a modifier, as those of a model of its own."""
    if config.modifier is None:
        return {}
    dipole = ModelConfig(config.modifier.dipole_model, config.type_map)
    return {f"{MODIFIER}/{k}": v for k, v in random_arrays(dipole, seed + 1).items()}


def short_range_arrays(config: ModelConfig) -> dict[str, np.ndarray]:
    """Return the arrays of what a model has beside its nets, without a file of a table."""
    if config.use_srtab is not None:
        return table_arrays(config.short_range.potential, config.num_types, "short_range")
    return {} if config.zbl is None else config.short_range.arrays(config.type_map)[0]


def table_arrays(potential: TablePotential, types: int, scope: str) -> dict[str, np.ndarray]:
    """Return a table of energies k (1 - r / rcut)^3 of the k-th two types, from 0.2 A on."""
    step, first = 0.05, 0.2
    share = (
        1 - (first + step * np.arange(int((potential.rcut - first) / step) + 2)) / potential.rcut
    )
    share = np.maximum(share, 0.0)
    node = np.stack([share**3, -3 * share**2 * step / potential.rcut], axis=1)
    factor = 1.0 + np.arange(types * (types + 1) // 2)
    nodes = factor[:, None, None] * node
    return {f"{scope}/nodes": nodes, f"{scope}/grid": np.array([first, step])}


def table_nodes(
    config: ModelConfig, arrays: dict[str, np.ndarray], tolerance: float = 1e-6
) -> dict[str, np.ndarray]:
    """Return the numbers of nodes that the embedding tables of these weights need.

    The tolerance is a small part of the model's own, for the sake of numerical differences: the
    second derivative of a table jumps a little at every node.
    """
    others = {name: value for name, value in arrays.items() if not name.endswith(NODES)}
    measured = measured_arrays(config.tables, others, tolerance)
    return {name: value for name, value in measured.items() if name.endswith((NODES, RANGE))}
