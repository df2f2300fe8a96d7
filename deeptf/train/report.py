"""What a training run tells: errors of its batches, and progress on the terminal or in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np

from deeptf.process import on_terminal
from deeptf.properties import Property
from deeptf.train.learning_curve import column_names
from deeptf.train.workers import Workers


def root_mean_squares(
    evaluated: Sequence[tuple[np.ndarray, np.ndarray]], rows: Sequence[Property], workers: Workers
) -> dict[str, float]:
    """Return rmse and the rmse of each property over the batches of all workers, by column.

    evaluated : the loss per frame [F] and the sums of squared errors [properties, 2] of each batch.
    """
    sums = np.zeros((1 + len(rows), 2))  # loss, properties: sum (of squares), number
    for frame_loss, squares in evaluated:
        sums += [[np.sum(frame_loss), len(frame_loss)], *squares]
    square, number = workers.sum(sums).T
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(number > 0, square / number, np.nan)
    roots = [float(root) for root in np.sqrt(mean)]
    return dict(zip(column_names(rows), roots, strict=True))


class Progress:
    """A bar on a terminal; in a file one line each time there is something to say."""

    def __init__(self, first_step: int, last_step: int, bar: bool = True) -> None:
        self._first, self._last = first_step, last_step
        self._begin = time.perf_counter()
        self._mark = (first_step, self._begin)
        self._bar = None
        if bar and on_terminal():
            from tqdm import tqdm

            self._bar = tqdm(total=last_step, initial=first_step, unit="step", dynamic_ncols=True)

    def advance(self) -> None:
        """Count one step."""
        if self._bar is not None:
            self._bar.update()

    def say(self, step: int, errors: Mapping[str, Mapping[str, float]]) -> None:
        """Print step, errors, rate and time left."""
        now = time.perf_counter()
        steps, seconds = step - self._mark[0], now - self._mark[1]
        self._mark = (step, now)
        rate = f"{1e3 * seconds / steps:.2f} ms/step" if steps else "starting"
        average = (now - self._begin) / max(step - self._first, 1)
        left = str(timedelta(seconds=round(average * (self._last - step))))
        parts = [f"step {step:7d}", rate, f"left {left if steps else '?'}"]
        for name, columns in errors.items():
            text = " ".join(f"{key[5:]} {value:.3e}" for key, value in columns.items() if key[5:])
            parts.append(f"{name}: {text}")
        self.message(" | ".join(parts))

    def message(self, text: str) -> None:
        """Print a line without disturbing the bar."""
        if self._bar is not None:
            self._bar.write(text, file=sys.stdout)
        else:
            print(text, flush=True)

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()
