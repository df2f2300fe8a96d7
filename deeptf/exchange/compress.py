"""Compressing: a frozen model whose embedding nets become tables, to a bound on their error.

The bound is on dG/dr in the range of the data, which is what forces feel (model/table.py), against
the nets of the given model. Beyond that range, where pairs are counted, tables are made for an
error that is EASE times larger. Any frozen model of deeptf is taken: one whose nets are evaluated
in full (a converted one), and one that has tables already, which are made anew from its nets.

The range of the data is what the model knows of it, or what the given systems show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deeptf.config import load
from deeptf.data.statistics import Found
from deeptf.data.survey import collect
from deeptf.data.system import System
from deeptf.data.types import names_of
from deeptf.exchange import frozen
from deeptf.exchange.model_file import ModelFile, model_of, read_model
from deeptf.exchange.runnable import runnable
from deeptf.files import refuse_same, replacing
from deeptf.model.model import ModelConfig
from deeptf.model.parameters import Parameters
from deeptf.model.ranges import EASE, FAR, SAFETY, SHORTEST, UNKNOWN
from deeptf.model.roles import with_values
from deeptf.model.table import TOLERANCE, measured_arrays
from deeptf.model.table_arrays import NODES, RANGE, TABLE, TABLE_GRID, TABLE_ROW, has_stored
from deeptf.tf import session, tf

Arrays = Mapping[str, np.ndarray]


class Data(NamedTuple):
    """Paths of systems that say how near atoms come."""

    training: Sequence[str] = ()  # of the model: its tables reach as far as any of them
    others: Sequence[str] = ()  # asked where nothing else is known


def compress(
    source: str | Path,
    output: str | Path,
    precision: str | None = None,
    tolerance: float | None = None,
    data: Data | None = None,
) -> list[str]:
    """Read a frozen model, write it with tables in place of its embedding nets; return notes on it.

    precision : "float64" or "float32", of nets and tables; None keeps that of the model
    tolerance : largest error of dG/dr in 1/A; None is TOLERANCE

    Raises FileNotFoundError, or ValueError where the file is no model, its nets cannot be tables or
    `tolerance` cannot be reached; then nothing is written.
    """
    if tolerance is not None and not 0 < tolerance < np.inf:
        raise ValueError(f"`tolerance` must be positive (1/A), got {tolerance}")
    model = runnable(read_model(source))
    refuse_same(source, output)
    with _naming(source):
        old = with_values(load(ModelConfig, model.metadata["model"], "model"), embedding="table")
        config = old
        if precision is not None:
            config = with_values(old, precision=precision)
        arrays = _without_nodes(model.arrays)
        _check_nets(config, arrays)
        arrays, lines = _with_range(config, arrays, data or Data())
        new, errors = _made(old, config, arrays, tolerance, model.metadata["training_script"])
    with replacing(output) as stream:
        stream.write(new)
    written = model_of(new, output)
    return [_sizes(model, written), *lines, *_table_lines(written, errors)]


def _check_nets(config: ModelConfig, arrays: Arrays) -> None:
    """Raise ValueError for a model without embedding nets."""
    if has_stored(arrays):
        raise ValueError(
            "it must have embedding nets, but has tables in their place since it was compressed by "
            "another program: use it as it is, or convert the model from before"
        )
    with tf.Graph().as_default():
        if not config.tables(Parameters(arrays)):
            kind = getattr(config.term, "descriptor", config.term).type
            raise ValueError(
                f"it must have embedding nets that tables can stand for, but {kind} has none"
            )


class _Errors(NamedTuple):
    """Largest errors of tables: of G and of dG/dr (1/A), in the range of the data and beyond."""

    of_value: float
    of_slope: float
    of_value_beyond: float
    of_slope_beyond: float


def _made(
    old: ModelConfig,
    config: ModelConfig,
    arrays: Arrays,
    tolerance: float | None,
    training_script: dict[str, Any] | None,
) -> tuple[bytes, _Errors]:
    """Return the content of a file with the model `config`, and the errors of its tables.

    old : the model with whose nets they are compared
    Raises ValueError where they do not keep the bound.
    """
    bound = tolerance or TOLERANCE
    full = measured_arrays(config.tables, arrays, bound)
    content = frozen.build(config, full, training_script).SerializeToString(deterministic=True)
    tables = _constants(model_of(content, ""), TABLE, TABLE_ROW, TABLE_GRID)
    errors = _errors(old, {**full, **tables})
    if errors.of_slope <= bound:
        return content, errors
    raise ValueError(
        f"`tolerance` must be at least {errors.of_slope:.1e}, the error of dG/dr that tables of "
        f"its nets reach, got {bound:.1e}"
    )


def _errors(config: ModelConfig, arrays: Arrays) -> _Errors:
    """Return the errors of tables that are among the arrays against the nets that are."""
    with tf.Graph().as_default() as graph:
        tables = config.tables(Parameters(arrays, frozen=True))
        with session(graph) as run:
            errors = [table.errors(run) for table in tables]  # [C, S, 2] each
    inside, beyond = (
        np.max([one[:, part].max(axis=(0, 1), initial=0) for one in errors], axis=0)
        for part in (slice(FAR), slice(FAR, None))
    )
    return _Errors(*map(float, (*inside, *(beyond * [1.0, EASE]))))


def _with_range(config: ModelConfig, arrays: Arrays, data: Data) -> tuple[Arrays, list[str]]:
    """Return the arrays with the shortest distances in the data, and lines about them."""
    known = any(_last(name) == SHORTEST for name in arrays)
    paths = data.training or (() if known else data.others)
    if paths:
        systems = [System(path, names_of(config.type_map)) for path in paths]
        rows = collect(systems, config.term.collectors(config.num_types))
        found = Found(systems, rows, rows, config.num_types)
        if known:
            changed, lines = config.term.extended(arrays, found)
        else:
            changed = config.term.seen(found)
            lines = [f"atoms come as close as {_closest(changed):.3f} A in {_number(paths)}"]
        return {**arrays, **changed}, lines
    if known:
        return arrays, []
    return arrays, [
        "note: the model does not know how near atoms come in its data: they are taken to end at "
        f"{SAFETY * UNKNOWN:.3f} A; --system or --training-script names data that tell it"
    ]


def _closest(arrays: Arrays) -> float:
    """Return the shortest distance in A in data, from the arrays that say it."""
    return min(float(array.min()) for name, array in arrays.items() if _last(name) == SHORTEST)


def _number(paths: Sequence[str]) -> str:
    return f"{len(paths)} systems" if len(paths) > 1 else "1 system"


def _without_nodes(arrays: Arrays) -> dict[str, np.ndarray]:
    """Return the arrays without the numbers of nodes of tables, which another bound changes."""
    return {name: value for name, value in arrays.items() if _last(name) not in (NODES, RANGE)}


def _constants(model: ModelFile, *names: str) -> dict[str, np.ndarray]:
    """Return the constants of a model whose names end with one of these."""
    found = [name for name in model.metadata["constants"] if _last(name) in names]
    return {name: model.constant(name) for name in found}


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _sizes(old: ModelFile, new: ModelFile) -> str:
    after, before = (Path(model.path).stat().st_size / 1e6 for model in (new, old))
    return f"{old.path} -> {new.path}: {after:.3f} MB, was {before:.3f} MB"


def _table_lines(model: ModelFile, errors: _Errors) -> list[str]:
    """Return what a user is told about the tables of a model."""
    table = model.metadata["table_range"]
    ends = {name: [d for row in table[name] for d in row if d is not None] for name in table}
    counts = _constants(model, NODES).values()
    nodes, nets = sum(int(n.sum()) for n in counts), sum(len(n) for n in counts)
    data = f"{min(ends['data']):.3f} A"
    if f"{max(ends['data']):.3f} A" != data:
        data += f" to {max(ends['data']):.3f} A, by types,"
    return [
        f"tables: {nodes} nodes for {nets} nets; the data end at {data} and the tables at "
        f"{min(ends['table']):.3f} A",
        f"largest error in the range of the data: G {errors.of_value:.1e}, dG/dr "
        f"{errors.of_slope:.1e} per A",
        f"largest error where pairs are closer: G {errors.of_value_beyond:.1e}, dG/dr "
        f"{errors.of_slope_beyond:.1e} per A",
    ]


@contextmanager
def _naming(source: str | Path) -> Iterator[None]:
    """Put the name of the file before the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{source} cannot be compressed: {error}") from error
