"""Fine-tuning: a new run from a model that was made for other types or other data.

Types are known by their names. Weights and statistics of types that both have are carried over;
nets and rows of new types are drawn, and their statistics are those of the new data. Then the
energy bias moves by the least-squares solution of

    sum_t n_ft b_t = E_f - E(model)_f

over frames of the new data, so that training need not undo what another method of labelling, or
another zero of energies, has made different.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from deeptf.data.statistics import Found
from deeptf.data.system import System
from deeptf.model.inputs import Inputs
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.table import measured_arrays
from deeptf.model.table_arrays import RANGE
from deeptf.properties import ENERGY
from deeptf.tf import session, tf
from deeptf.train.evaluation import Evaluation
from deeptf.train.origin import Origin

MOST_FRAMES = 1000  # of a system, for the energy bias
Arrays = dict[str, np.ndarray]


def with_types(origin: Origin, type_map: Sequence[str]) -> Origin:
    """Return an origin with settings and arrays for these types; NaN and gaps are for `complete`.

    Prints which types go on. Raises ValueError where none does, or where arrays are missing or
    cannot be those of other types.
    """
    old = origin.model
    given = [row.name for row in old.gives()]
    if ENERGY.name not in given:
        raise ValueError(
            f"`finetune` must be a model of energies, got {origin.path}, which gives "
            f"{', '.join(given)}; go on from it with --init-model"
        )
    _drawn(old, origin.arrays, None)
    source = [old.type_map.index(name) if name in old.type_map else None for name in type_map]
    if all(t is None for t in source):
        raise ValueError(
            f"`type_map` must have a type of the model to go on from, {origin.path} with "
            f"{' '.join(old.type_map)}, got {' '.join(type_map)}"
        )
    groups = {
        "types that go on": [name for name in type_map if name in old.type_map],
        "new types": [name for name in type_map if name not in old.type_map],
        "dropped types": [name for name in old.type_map if name not in type_map],
    }
    print("; ".join(f"{what} {' '.join(names)}" for what, names in groups.items() if names))
    if source == list(range(len(old.type_map))):
        return origin
    try:
        model = old.with_types(source, type_map)
        arrays = old.arrays_with_types(origin.arrays, source, type_map)
    except ValueError as error:
        raise ValueError(f"types of {origin.path} cannot be changed: {error}") from error
    return replace(origin, model=model, arrays=arrays)


def complete(
    model: ModelConfig, arrays: Mapping[str, np.ndarray], found: Found, seed: int
) -> Arrays:
    """Return all arrays of a model: what is missing comes from the data, or is drawn.

    Prints what becomes of the arrays and of the energy bias.
    """
    of_data, _ = model.first_arrays(found)
    known = {name: _filled(array, of_data.get(name)) for name, array in arrays.items()}
    whole = {name: array for name, array in known.items() if not np.isnan(array).any()}
    drawn = _drawn(model, whole, seed)
    values = {**known, **{name: _filled(known.get(name), drawn[name]) for name in drawn}}
    new = sorted(values.keys() - arrays.keys())
    parts = sorted(name for name, array in arrays.items() if np.isnan(array).any())
    lines = [f"{len(arrays) - len(parts)} arrays carried over"]
    if parts:
        lines.append(f"{len(parts)} with rows of new types ({', '.join(parts)})")
    if new:
        nets = sorted({name.rpartition("/")[0].rpartition("/")[0] for name in new})
        lines.append(f"{len(new)} drawn ({', '.join(nets)})")
    print("; ".join(lines))
    left = [
        (labels - energies, frames)
        for (labels, frames), energies in zip(
            map(labels_of, found.systems), _energies(model, values, found.systems), strict=True
        )
    ]
    changed, lines = model.term.refitted(values, found.systems, left, model.type_map)
    print("\n".join([*lines, f"that fits {sum(len(frames) for _, frames in left)} frames"]))
    return {**values, **changed}


def _filled(array: np.ndarray | None, other: np.ndarray | None) -> np.ndarray:
    """Return an array with numbers of another where it has none."""
    if array is None or other is None:
        return other if array is None else array
    return np.where(np.isnan(array), other, array).astype(array.dtype)


def _drawn(model: ModelConfig, arrays: Mapping[str, np.ndarray], seed: int | None) -> Arrays:
    """Return the arrays of nets that are not among `arrays`, drawn as for a new model.

    Without a seed there must be none: ValueError.
    """
    with tf.Graph().as_default() as graph:
        parameters = Parameters(arrays, seed or 0, complete=seed is None)
        model.build(model.inputs(), parameters)
        variables = {k: v for k, v in parameters.variables.items() if k not in arrays}
        with session(graph) as run:
            run.run(tf.variables_initializer(list(variables.values())))
            found = run.run(variables)
    constants = {k: v for k, v in parameters.constants.items() if not k.endswith(f"/{RANGE}")}
    return {**found, **{k: v for k, v in constants.items() if k not in arrays}}


def labels_of(system: System) -> tuple[np.ndarray, np.ndarray]:
    """Return energies and numbers of frames, at most MOST_FRAMES of them, spread evenly."""
    energy, frames = system.energies()
    chosen = np.unique(np.linspace(0, len(frames) - 1, MOST_FRAMES).round().astype(int))
    chosen = chosen if len(frames) else np.zeros(0, int)
    return energy[chosen], frames[chosen]


def _energies(
    model: ModelConfig, values: Mapping[str, np.ndarray], systems: Sequence[System]
) -> Iterator[np.ndarray]:
    """Yield the energies of those frames of each system."""
    values = measured_arrays(model.tables, values)

    def build(inputs: Inputs) -> tf.Tensor:
        return model.build(inputs, Parameters(values, frozen=True)).values[ENERGY.name]

    yield from energies_of_frames(model, build, systems)


def energies_of_frames(
    model: ModelConfig, build: Callable[[Inputs], tf.Tensor], systems: Sequence[System]
) -> Iterator[np.ndarray]:
    """Yield what `build` gives of the frames whose energies count for the energy bias, [frames]."""
    with Evaluation(model, lambda inputs: {ENERGY.name: build(inputs)}) as evaluation:
        for system in systems:
            found = evaluation.of(system, labels_of(system)[1], [ENERGY.name])
            yield np.concatenate([np.zeros(0), *(values[ENERGY.name] for _, values in found)])
