"""One update of all weights: loss, gradients and optimizer, averaged over the workers."""

from __future__ import annotations

from dataclasses import dataclass

from deeptf.ops.host import Host
from deeptf.tf import tf
from deeptf.train.checkpoint import OPTIMIZER
from deeptf.train.optimizer import Adam
from deeptf.train.options import InputConfig
from deeptf.train.workers import Workers


@dataclass(frozen=True)
class Update:
    """Tensors and variables of an update."""

    step: tf.Operation
    agreed: list[tf.Tensor]  # loss and wish to stop, averages over the workers
    state: dict[str, tf.Variable]  # of the optimizer, by the names of their arrays in a checkpoint


def build_update(
    config: InputConfig,
    frame_loss: tf.Tensor,
    stop: tf.Tensor,
    rate: tf.Tensor,
    variables: list[tf.Variable],
    workers: Workers,
) -> Update:
    """Return the update by the mean of the loss of all frames.

    frame_loss : of the frames of this worker, [F]; stop : 1 where it wants to stop, else 0.
    """
    if not variables:
        raise ValueError(
            "`trainable` must be true for some layer: every array of the model is fixed"
        )
    share = 1.0 / workers.size  # of this worker in averages
    loss = share * tf.reduce_mean(frame_loss)
    gradients = tf.gradients(loss, variables)
    told = [tf.cast(number, gradients[0].dtype) for number in (loss, share * stop)]
    host = _host(config, variables, workers)
    if host is not None:
        optimizer = config.optimizer.build_on_host(rate, host, tf.stack(told))
        step = optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return Update(step, tf.unstack(optimizer.sums), _state(optimizer))
    *gradients, loss, stop = workers.total([*gradients, *told])
    limit = config.training.gradient_max_norm
    if limit:
        gradients, _ = tf.clip_by_global_norm(gradients, limit)
    optimizer = config.optimizer.build(rate)
    step = optimizer.apply_gradients(zip(gradients, variables, strict=True))
    return Update(step, [loss, stop], _state(optimizer))


def _host(config: InputConfig, variables: list[tf.Variable], workers: Workers) -> Host | None:
    """Return the workers on one host where they can take steps of Adam in shared memory."""
    plain = isinstance(config.optimizer, Adam) and not config.training.gradient_max_norm
    return workers.host() if plain and len({v.dtype for v in variables}) == 1 else None


def _state(optimizer: tf.train.Optimizer) -> dict[str, tf.Variable]:
    return {OPTIMIZER + variable.name.split(":")[0]: variable for variable in optimizer.variables()}
