"""What the leader of a run writes: learning curve, checkpoints and TensorBoard's file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deeptf.train.checkpoint import Series
from deeptf.train.learning_curve import LearningCurve, column_names, curve_columns
from deeptf.train.start import Run
from deeptf.train.tensorboard import TensorBoard


class Records:
    """The files of one run; what other runs have left at their places is said.

    sets : of data that errors are given for, in the order of the learning curve.

    `saved` is the checkpoint that was written last.
    """

    def __init__(self, run: Run, sets: Sequence[str]) -> None:
        options, origin = run.config.training, run.origin
        restart = None if origin.restart_step is None else (origin.restart_step, origin.run)
        columns = curve_columns(column_names(run.config.loss_of_model.columns()), sets)
        self._curve = LearningCurve(options.disp_file, columns, run.identity, restart)
        self._series = Series(
            options.save_ckpt, run.identity, options.max_ckpt_keep, run.first_step
        )
        for note in (*self._curve.notes, *self._series.notes):
            print(f"note: {note}")
        self._board = TensorBoard(options.tensorboard_log_dir) if options.tensorboard else None
        self._board_every = options.tensorboard_freq
        self.saved: Path | None = None

    def add_step(self, step: int, loss: float, rate: float) -> None:
        """Write loss and learning rate of a step, where they are due."""
        if self._board is not None and step % self._board_every == 0:
            self._board.write(step, {"loss": loss, "learning_rate": rate})

    def add_errors(self, step: int, errors: Mapping[str, Mapping[str, float]], rate: float) -> None:
        """Write the errors by set of data and column."""
        names = list(errors["training"])
        self._curve.write(step, [own[name] for name in names for own in errors.values()], rate)
        if self._board is not None:
            scalars = {f"{n}/{data}": own[n] for n in names for data, own in errors.items()}
            self._board.write(step, scalars)

    def save(self, step: int, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Path:
        """Write a checkpoint and return its path."""
        self.saved = self._series.save(step, arrays, meta)
        return self.saved

    def close(self) -> None:
        """Close what stays open."""
        if self._board is not None:
            self._board.close()
