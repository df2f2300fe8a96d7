"""What a training run tells of the errors of its batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np

from deeptf.properties import FRAME, Property
from deeptf.train.learning_curve import column_names
from deeptf.train.workers import Workers


def names_of_columns(rows: Sequence[Property]) -> str:
    """Return a line that tells what the errors in the log and in lcurve.out are."""
    named = []
    for row in rows:
        unit = f" ({row.unit})" if row.unit else ""
        named.append(f"{row.key} {row.title}{' per atom' if row.of == FRAME else ''}{unit}")
    return f"errors below are root mean squares: {', '.join(named)}"


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


def parts_of_errors(errors: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return what Progress.say tells of errors by column, for each name of data.

    Columns without labels are left out.
    """
    parts = []
    for name, columns in errors.items():
        told = {key[5:]: value for key, value in columns.items() if key[5:] and not isnan(value)}
        text = " ".join(f"{key} {value:.3e}" for key, value in told.items())
        parts.append(f"{name}: {text}")
    return parts
