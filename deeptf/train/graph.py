"""The graph of a training run: model, loss, update and averaged weights, and their session.

It takes batches and rates and gives losses; which batch comes next and what is printed or saved is
decided in loop.py. With several workers gradients are averages over all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from deeptf.data.batch import Batch, Pairs
from deeptf.data.pairs import naming_frames
from deeptf.loss.labels import Labels
from deeptf.model.outside import OutsidePairs
from deeptf.model.parameters import Parameters
from deeptf.tf import assign, session, tf
from deeptf.train.averaging import Average
from deeptf.train.checkpoint import AVERAGE, OPTIMIZER
from deeptf.train.options import InputConfig
from deeptf.train.update import build_update
from deeptf.train.workers import Workers


class Step(NamedTuple):
    """What a step tells."""

    loss: np.ndarray  # [F] of the worker's frames, before the update
    mean_loss: float  # over the frames of all workers
    stop: bool  # whether any worker wants to stop


class TrainingGraph:
    """One model in training.

    config : the whole input, with type map and sel decided.
    values : known arrays: statistics always; weights, their averages and the optimizer's state when
        a run goes on. Averages that are not there begin at the weights.
    seed : seed of the weights that are not in `values`.
    workers : the processes that train this model.
    trained : whether `values` must hold all weights.

    `outside` are pairs of this worker's frames closer than the range of the data, where the model
    can tell; `unused` are the names of given values that the graph has no use for.
    """

    def __init__(
        self,
        config: InputConfig,
        values: Mapping[str, np.ndarray],
        seed: int,
        threads: int | None = None,
        workers: Workers | None = None,
        trained: bool = False,
    ) -> None:
        self._workers = workers or Workers()
        graph, model = tf.Graph(), config.model.unmodified
        with graph.as_default():
            self._parameters = Parameters(values, seed, complete=trained)
            self._inputs = model.inputs()
            loss = config.loss_of_model
            self._labels = Labels.of(loss.labels())
            self._rate = tf.placeholder(tf.float64, [], "learning_rate")
            self._prefactors = tf.placeholder(tf.float64, [None], "prefactors")
            self._stop = tf.placeholder(tf.float64, [], "stop")
            outputs = model.build(self._inputs, self._parameters)
            self._tables = model.tables(self._parameters)
            self._outside = outputs.outside
            self.outside = None
            if self._tables:
                ends = [table.curves.data_end for table in self._tables]
                self.outside = OutsidePairs(model.type_map, np.fmax.reduce(ends))
            bound = (outputs, self._labels, self._inputs)
            self._frame_loss = loss.build(*bound, self._prefactors)
            self._errors = loss.errors(*bound)
            variables = list(self._parameters.variables.values())
            self._update = build_update(
                config, self._frame_loss, self._stop, self._rate, variables, self._workers
            )
            self._state = dict(self._update.state)
            self._average = None
            if config.training.average_decay:
                self._average = Average(self._parameters.variables)
                self._state |= self._average.variables
            initialize = tf.global_variables_initializer()
        self._session = session(graph, self._workers.threads(threads), self._workers.gpu())
        self._session.run(initialize)
        self._load_state(values)
        self._workers.initialize(self._session)
        self.unused = [name for name in self._parameters.unused() if name not in self._state]

    def step(self, batch: Batch, rate: float, prefactors: np.ndarray, stop: bool = False) -> Step:
        """Update the weights once.

        stop : whether this worker wants to stop after this step.
        """
        feed = self._feed(batch, prefactors)
        feed |= {self._rate: rate, self._stop: float(stop)}
        fetch = (self._frame_loss, self._update.agreed, self._update.step)
        with naming_frames(batch):
            loss, agreed, _ = self._run(fetch, feed)
        return Step(loss, float(agreed[0]), bool(agreed[1] > 0))

    def find_pairs(self, batch: Batch) -> Pairs:
        """Return the pairs that the model has for a batch, in any thread."""
        inputs = self._inputs
        with naming_frames(batch):
            fetch = (inputs.row, inputs.neighbor, inputs.displacement)
            return Pairs(*self._session.run(fetch, self._feed_frames(batch)))

    def average(self, weight: float) -> None:
        """Move the averaged weights towards the present ones by `weight` (0 to 1) of the way."""
        self._session.run(self._average.update, {self._average.weight: weight})

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Evaluate with the averaged weights inside the context, where the run keeps them.

        Weights and averages change places and change back, bit for bit.
        """
        if self._average is None:
            yield
            return
        self._session.run(self._average.exchange)
        try:
            yield
        finally:
            self._session.run(self._average.exchange)

    def evaluate(self, batch: Batch, prefactors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of every frame [F], and sums of squared errors with their numbers.

        The sums are those of the loss's columns, [columns, 2].
        """
        with naming_frames(batch):
            fetch = (self._frame_loss, self._errors)
            return self._run(fetch, self._feed(batch, prefactors))

    @property
    def table_measured(self) -> bool:
        """Whether the tables have as many nodes as their errors ask for.

        Not where a run goes on from a model without tables, or with another range.
        """
        return all(table.measured for table in self._tables)

    def refine_table(self) -> str:
        """Give the embedding tables as many nodes as their measured errors ask for.

        Returns a line about it, or nothing where there is no table or no change.
        """

        def agree(errors: np.ndarray) -> np.ndarray:
            return self._workers.sum(errors if self._workers.leads else np.zeros_like(errors))

        lines = [table.refine(self._session, agree) for table in self._tables]
        return "; ".join(filter(None, lines))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all that a restart needs: weights, statistics, state of optimizer and averages."""
        parameters = self._parameters
        fetch = {**parameters.variables, **parameters.states, **self._state}
        values = self._session.run(fetch)  # may be the memory itself, which steps change
        return {**self._parameters.constants, **{k: np.array(v) for k, v in values.items()}}

    def close(self) -> None:
        """Free the session."""
        self._session.close()

    @property
    def num_parameters(self) -> int:
        """Number of trainable numbers."""
        return sum(int(np.prod(v.shape)) for v in self._parameters.variables.values())

    def _load_state(self, values: Mapping[str, np.ndarray]) -> None:
        """Set optimizer and averages, each where `values` has any of it and then all of it."""
        given = tuple(p for p in (OPTIMIZER, AVERAGE) if any(name.startswith(p) for name in values))
        for name, variable in self._state.items():
            if name not in values and name.startswith(given):
                raise ValueError(f"`{name}` must be in the checkpoint to go on from it, but is not")
            if name in values:
                assign(self._session, variable, values[name])

    def _run(self, fetch: tuple, feed: dict[tf.Tensor, np.ndarray]) -> tuple:
        """Return the values of a frame's tensors; note pairs outside the range of the data."""
        if self._outside is None:
            return self._session.run(fetch, feed)
        *values, count = self._session.run((*fetch, self._outside.count), feed)
        if count.any():
            self.outside.add(count, self._session.run(self._outside.distance, feed))
        return tuple(values)

    def _feed(self, batch: Batch, prefactors: np.ndarray) -> dict[tf.Tensor, np.ndarray]:
        feed = self._feed_frames(batch)
        feed |= {self._prefactors: prefactors, **self._labels.feed(batch)}
        inputs, pairs = self._inputs, batch.pairs
        if pairs is not None:
            feed |= {
                inputs.row: pairs.row,
                inputs.neighbor: pairs.neighbor,
                inputs.displacement: pairs.displacement,
            }
        return feed

    def _feed_frames(self, batch: Batch) -> dict[tf.Tensor, np.ndarray]:
        inputs = self._inputs
        feed = {
            inputs.coord: batch.coord,
            inputs.cell: batch.cell,
            inputs.atom_type: batch.atom_type,
            inputs.frame_row: batch.frame_row,
        }
        if inputs.fparam is not None:
            feed[inputs.fparam] = batch.fparam
        if inputs.aparam is not None:
            feed[inputs.aparam] = batch.aparam
        return feed
