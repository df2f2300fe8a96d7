"""What the gradients of the ops share."""

from __future__ import annotations

from deeptf.tf import tf


def unavailable(like: tf.Tensor, what: str) -> tf.Tensor:
    """Return a tensor that fails when, and only when, something asks for its value."""
    failed = tf.raw_ops.Assert(condition=False, data=[f"deeptf has no {what}"])
    with tf.control_dependencies([failed]):
        return tf.identity(like)
