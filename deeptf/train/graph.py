"""The graph of a training run: model, loss, gradients and Adam, and the session that holds their
state.

It takes batches and rates and gives losses; which batch comes next and what is printed or saved is
decided in trainer.py.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deeptf.data.batch import Batch
from deeptf.model.parameters import Parameters
from deeptf.tf import session, tf
from deeptf.train.options import InputConfig

OPTIMIZER = "optimizer/"


class TrainingGraph:
    """One model in training.

    config : the whole input, with type map and sel decided.
    values : known arrays: statistics always; weights and the optimizer's state when a run goes on.
    seed : seed of the weights that are not in `values`.
    """

    def __init__(
        self,
        config: InputConfig,
        values: Mapping[str, np.ndarray],
        seed: int,
        threads: int | None = None,
    ) -> None:
        graph = tf.Graph()
        with graph.as_default():
            self._parameters = Parameters(values, seed)
            self._inputs = config.model.inputs()
            self._labels = config.loss.labels()
            self._rate = tf.placeholder(tf.float64, [], "learning_rate")
            self._prefactors = tf.placeholder(tf.float64, [None], "prefactors")
            outputs = config.model.build(self._inputs, self._parameters)
            bound = (outputs, self._labels, self._inputs)
            self._frame_loss = config.loss.build(*bound, self._prefactors)
            self._errors = config.loss.errors(*bound)
            optimizer, self._update = self._build_update(config)
            self._state = {OPTIMIZER + v.name.split(":")[0]: v for v in optimizer.variables()}
            initialize = tf.global_variables_initializer()
        self._session = session(graph, threads)
        self._session.run(initialize)
        self._load_optimizer(values)

    def step(self, batch: Batch, rate: float, prefactors: np.ndarray) -> np.ndarray:
        """Update the weights once; return the loss of every frame before the update, [F]."""
        feed = self._feed(batch, prefactors)
        feed[self._rate] = rate
        return self._session.run((self._frame_loss, self._update), feed)[0]

    def evaluate(self, batch: Batch, prefactors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of every frame [F] and sums of squared errors with their numbers [3,
        2].
        """
        return self._session.run((self._frame_loss, self._errors), self._feed(batch, prefactors))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything that a restart needs: weights, statistics and the optimizer's state."""
        values = self._session.run({**self._parameters.variables, **self._state})
        return {**self._parameters.constants, **values}

    def close(self) -> None:
        """Free the session."""
        self._session.close()

    @property
    def num_parameters(self) -> int:
        """Number of trainable numbers."""
        return sum(int(np.prod(v.shape)) for v in self._parameters.variables.values())

    def _build_update(self, config: InputConfig) -> tuple[tf.train.Optimizer, tf.Operation]:
        variables = list(self._parameters.variables.values())
        if not variables:
            raise ValueError(
                "`trainable` must be true for some layer: every array of the model is fixed"
            )
        gradients = tf.gradients(tf.reduce_mean(self._frame_loss), variables)
        limit = config.training.gradient_max_norm
        if limit:
            gradients, _ = tf.clip_by_global_norm(gradients, limit)
        optimizer = tf.train.AdamOptimizer(
            self._rate, config.optimizer.adam_beta1, config.optimizer.adam_beta2
        )
        return optimizer, optimizer.apply_gradients(zip(gradients, variables, strict=True))

    def _load_optimizer(self, values: Mapping[str, np.ndarray]) -> None:
        if not any(name.startswith(OPTIMIZER) for name in values):
            return
        for name, variable in self._state.items():
            if name not in values:
                raise ValueError(f"`{name}` must be in the checkpoint to go on from it, but is not")
            variable.load(values[name], self._session)

    def _feed(self, batch: Batch, prefactors: np.ndarray) -> dict[tf.Tensor, np.ndarray]:
        inputs = self._inputs
        feed = {
            inputs.coord: batch.coord,
            inputs.cell: batch.cell,
            inputs.atom_type: batch.atom_type,
            inputs.frame_row: batch.frame_row,
            self._prefactors: prefactors,
            **self._labels.feed(batch),
        }
        if inputs.fparam is not None:
            feed[inputs.fparam] = batch.fparam
        if inputs.aparam is not None:
            feed[inputs.aparam] = batch.aparam
        return feed
