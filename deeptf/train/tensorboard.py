"""TensorBoard's file of a run."""

from __future__ import annotations

from collections.abc import Mapping

from deeptf.tf import tf


class TensorBoard:
    """Writes the columns of the learning curve as TensorBoard scalars."""

    def __init__(self, folder: str) -> None:
        with tf.Graph().as_default():  # a writer of version 1 must not be made in eager mode
            self._writer = tf.summary.FileWriter(folder)

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write one value per name."""
        values = [tf.Summary.Value(tag=name, simple_value=value) for name, value in scalars.items()]
        self._writer.add_summary(tf.Summary(value=values), step)

    def close(self) -> None:
        """Flush and close the event file."""
        self._writer.close()
