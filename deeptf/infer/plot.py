"""Parity plot of a test: predictions against labels, a panel for each property, as PNG.

Extensive properties are shown per atom. It needs matplotlib (extra `plot`) and keeps at most
MAX_POINTS points of a quantity, evenly chosen.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deeptf.data.comparison import Quantity
from deeptf.files import replacing
from deeptf.properties import ATOM_ENERGY, ENERGY

MAX_POINTS = 100_000
SHIFTED = (ENERGY, ATOM_ENERGY)  # where zero is means nothing: the mean is put there


def check_plot(path: str | Path) -> None:
    """Raise ValueError unless a plot can be drawn to `path`."""
    if Path(path).suffix.lower() != ".png":
        raise ValueError(f"`plot` must be the name of a .png file, got {path}")
    if importlib.util.find_spec("matplotlib") is None:
        raise ValueError("`plot` must have matplotlib, got none: pip install 'deeptf[plot]'")


class ParityPlot:
    """Collects labels and predictions, then draws them."""

    def __init__(self, quantities: Sequence[Quantity]) -> None:
        shown = [one for one in quantities if one.per_atom == one.property.extensive]
        self._points: dict[Quantity, list[np.ndarray]] = {quantity: [] for quantity in shown}

    def add(self, quantity: Quantity, label: np.ndarray, prediction: np.ndarray) -> None:
        """Add labels and predictions [n, columns]."""
        if quantity in self._points:
            pair = np.stack([label.ravel(), prediction.ravel()]).astype(np.float64)
            self._points[quantity].append(pair)

    def write(self, path: str | Path) -> None:
        """Draw one panel for each quantity that has data."""
        from matplotlib.figure import Figure

        shown = [quantity for quantity, points in self._points.items() if points]
        figure = Figure(figsize=(4.2 * len(shown), 4.2), layout="constrained")
        for number, quantity in enumerate(shown):
            axes = figure.add_subplot(1, len(shown), number + 1)
            points = np.concatenate(self._points[quantity], axis=1)
            rmse = np.sqrt(np.mean((points[1] - points[0]) ** 2))
            origin = points[0].mean() if quantity.property in SHIFTED else 0.0
            points -= origin
            step = -(-points.shape[1] // MAX_POINTS)
            axes.plot(*points[:, ::step], ".", markersize=2, rasterized=True)
            ends = [points.min(), points.max()]
            axes.plot(ends, ends, "k-", linewidth=0.8)
            shift = f", zero at {origin:.3f}" if origin else ""
            axes.set_title(f"{quantity.title}{shift}\nRMSE {rmse:.3g} {quantity.unit}")
            axes.set_xlabel(f"label ({quantity.unit})")
            axes.set_ylabel(f"prediction ({quantity.unit})")
            axes.locator_params(nbins=5)
            axes.set_aspect("equal", adjustable="datalim")
        with replacing(path) as stream:
            figure.savefig(stream, format="png", dpi=150)
