"""Compare the graph of a deepmd-kit model with a model converted from it, on random environments.

Both get the same pairs, and have to give the same energies, forces, virials and descriptors. So a
term that the conversion does not know, or has wrong, is found whatever it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from deeptf.exchange.deepmd import names
from deeptf.exchange.deepmd.geometry import Frame
from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import Part
from deeptf.exchange.deepmd.run import OriginalModel, imported
from deeptf.model.model import ModelConfig
from deeptf.model.pair_table import GRID
from deeptf.model.term.short_range import SCOPE
from deeptf.ops.library import library
from deeptf.properties import FRAME, Property
from deeptf.tf import session, tf

TYPES_AT_A_TIME = 8  # centre types in one frame: bounds the memory of models with many types
ROUNDS = 2
NEAREST = 0.2  # of the cut-off; distances are drawn from there to the cut-off
WITHOUT_CUT_OFF = 6.0  # A, in its place
DRAWS = 1000  # of neighbours of a centre, until it has a descriptor
OUTPUTS = {  # of deepmd-kit -> of deeptf
    names.ENERGY: "energy",
    names.ATOM_ENERGY: "atom_energy",
    names.FORCE: "force",
    names.VIRIAL: "virial",
    names.ATOM_VIRIAL: "atom_virial",
    names.DESCRIPTOR: "descriptor",
    "o_dipole": "atom_dipole",
    "o_global_dipole": "dipole",
    "o_polar": "atom_polar",
    "o_global_polar": "polar",
    "o_atom_dos": "atom_dos",
    "o_dos": "dos",
}


def largest_difference(
    graph: DeepmdGraph,
    part: Part,
    config: ModelConfig,
    arrays: Mapping[str, np.ndarray],
    converted: tf.GraphDef,
    seed: int = 0,
) -> tuple[float, int]:
    """Return the largest difference of graph and converted model, and the number of environments.

    It is in eV and eV/A, or in units of the largest value of its kind where that is above 1.

    part : descriptor in the graph
    config, arrays : settings and arrays of the converted model; converted : its frozen graph
    seed : of the environments
    Raises ValueError where the graph cannot be run.
    """
    library()
    original = OriginalModel(graph, part)
    new = imported(converted)
    inputs = {node.name for node in converted.node if node.op.startswith("Placeholder")}
    compared = [name for name in original.outputs if name in OUTPUTS]
    if config.use_srtab is not None:  # which gives half of the virial of a pair to its centre
        compared = [name for name in compared if name != names.ATOM_VIRIAL]
    given = {row.name: row for row in config.gives()}
    largest, count = 0.0, 0
    with session(original.graph) as on_original, session(new) as on_new:
        for frame in random_frames(part, config, arrays, seed):
            expected = original.run(frame, config.num_types, on_original)
            feed = {f"{k}:0": v for k, v in _feed(frame).items() if k in inputs}
            found = on_new.run([f"{OUTPUTS[name]}:0" for name in compared], feed)
            for name, value in zip(compared, found, strict=True):
                value = _of_types(value, frame, given.get(OUTPUTS[name]))
                largest = max(largest, _difference(name, value, expected[name]))
            count += frame.num_centres
    return largest, count


def random_frames(
    part: Part, config: ModelConfig, arrays: Mapping[str, np.ndarray], seed: int
) -> Iterator[Frame]:
    """Yield frames with three centres of each type.

    Of each type they have no, one and two neighbours, as far as the descriptor allows, anywhere
    within the cut-off.
    """
    generator = np.random.default_rng(seed)
    places = part.kind.places(part, config.term.descriptor)
    for _ in range(ROUNDS):
        for first in range(0, config.num_types, TYPES_AT_A_TIME):
            types = np.arange(first, min(first + TYPES_AT_A_TIME, config.num_types))
            frame = _frame(np.repeat(types, 3), places, config, arrays, generator)
            yield _with_descriptors(frame, part, config, arrays, generator)


def _frame(
    centre_type: np.ndarray,
    places: np.ndarray,
    config: ModelConfig,
    arrays: Mapping[str, np.ndarray],
    generator: np.random.Generator,
) -> Frame:
    num_types, fitting = config.num_types, config.term.fitting_net
    count = np.tile([0, 1, 2], (num_types, len(centre_type) // 3))
    for block in np.split(count, len(centre_type) // 3, axis=1):
        block[:] = generator.permuted(block, axis=1)
    count = np.clip(count.T, *places)  # [N, T]
    ghost_type = np.repeat(np.tile(np.arange(num_types), len(count)), count.ravel())
    sizes = {
        "fparam": (1, fitting.numb_fparam),
        "aparam": (len(centre_type), fitting.numb_aparam),
    }
    parameters = {
        name: generator.normal(size=size) * arrays[f"fitting/{name}_stddev"]
        + arrays[f"fitting/{name}_mean"]
        if name in fitting.conditions
        else np.zeros(size)
        for name, size in sizes.items()
    }
    if config.needs().masked:  # those without a neighbour are absent
        there = np.concatenate([count.any(axis=1), np.ones(len(ghost_type))])
        parameters["aparam"] = there[:, None]
    return Frame(
        np.concatenate([centre_type, ghost_type]).astype(np.int32),
        np.concatenate([[0], np.cumsum(count.sum(axis=1))]).astype(np.int32),
        _displacements(len(ghost_type), config, arrays, generator),
        **parameters,
    )


def _displacements(
    number: int,
    config: ModelConfig,
    arrays: Mapping[str, np.ndarray],
    generator: np.random.Generator,
) -> np.ndarray:
    """Return displacements within the cut-off, [number, 3]."""
    direction = generator.normal(size=(number, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    rcut = WITHOUT_CUT_OFF if config.needs().masked else config.term.descriptor.rcut
    nearest = NEAREST * rcut
    if config.use_srtab is not None:  # they must get where the table counts
        nearest = min(nearest, max(config.sw_rmin, NEAREST * config.sw_rmax))
        nearest = max(nearest, float(arrays[f"{SCOPE}/{GRID}"][0]))  # and where it begins
    return generator.uniform(nearest, rcut, (number, 1)) * direction


def _with_descriptors(
    frame: Frame,
    part: Part,
    config: ModelConfig,
    arrays: Mapping[str, np.ndarray],
    generator: np.random.Generator,
) -> Frame:
    """Return a frame all of whose centres have a descriptor, with neighbours drawn anew for it."""
    for _ in range(DRAWS):
        lacking = ~np.logical_and.reduce([one.kind.defined(one, frame) for one in part.leaves])
        if not lacking.any():
            return frame
        displacement = frame.displacement.copy()
        moved = lacking[frame.centre]
        displacement[moved] = _displacements(int(moved.sum()), config, arrays, generator)
        frame = replace(frame, displacement=displacement)
    raise ValueError(
        "its descriptor must exist for some neighbours of each type of atoms, but among "
        f"{DRAWS} random ones there were none"
    )


def _feed(frame: Frame) -> dict[str, np.ndarray]:
    """Return what a deeptf model takes."""
    return {
        "atom_type": frame.atom_type,
        "frame_row": np.array([0, frame.num_centres], np.int32),
        "row": frame.row,
        "neighbor": frame.neighbor,
        "displacement": frame.displacement,
        "fparam": frame.fparam,
        "aparam": frame.aparam,
    }


def _of_types(value: np.ndarray, frame: Frame, row: Property | None) -> np.ndarray:
    """Return the rows of the centres that have a property, as deepmd-kit gives them."""
    if row is None or row.of == FRAME or not row.types:
        return value
    return value[np.isin(frame.atom_type[: frame.num_centres], row.types)]


def _difference(name: str, found: np.ndarray, expected: np.ndarray) -> float:
    if found.size != expected.size:
        raise ValueError(f"`{name}` must have {found.size} numbers, got {expected.size}")
    difference = np.abs(found.ravel() - expected.ravel())
    if not np.all(np.isfinite(difference)):
        return np.inf
    return float(np.max(difference)) / max(1.0, float(np.max(np.abs(expected))))
