"""Tables of compressed deepmd-kit models as nodes of tables of deeptf.

Intervals have polynomials of fifth order, and straight lines go on beyond both ends (tabulate.py).
Each interval becomes a segment of equally spaced nodes with values and slopes, between which cubics
are close to it: over a width h the difference is at most h^4 |G''''| / 384, and that of slopes
sqrt(3) h^3 |G''''| / 216. Nodes of two segments at one place may differ, as tables do where they
jump. The tables of several nets become one, whose nets have as many segments each, so that some
lie on the straight lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deeptf.exchange.deepmd.graph import DeepmdGraph
from deeptf.exchange.deepmd.kind import Arrays
from deeptf.exchange.deepmd.tabulate import ROUNDING, as_written
from deeptf.model.table_arrays import STORED_NEAR, TABLE, TABLE_GRID, TABLE_ROW
from deeptf.ops.curve import padded_width
from deeptf.tf import tf

# Of the difference of values, or of them where they are above 1, by the precision of a table. With
# a bound b that of slopes is 0.7 b^(3/4) |G''''|^(1/4), so forces are within 1e-9 of the largest.
BOUNDS = {"float64": 1e-13, "float32": 1e-9}
MOST_PARTS = 10_000  # of a segment


@dataclass(frozen=True)
class Pieces:
    """A table: polynomials in the distance from the left end of each interval."""

    left: np.ndarray  # [n] ends of the intervals, in rising order
    width: np.ndarray  # [n]
    factors: np.ndarray  # [n, M, order + 1]
    bound: np.ndarray  # [n] of the difference of values
    far: int  # intervals in the range of the data, the first ones


def read_pieces(graph: DeepmdGraph, node: tf.NodeDef, two_sided: bool = False) -> Pieces:
    """Return the table that a node of an op of tables reads."""
    table, info = (graph.array(name.partition("/read")[0]) for name in node.input[:2])
    if table.ndim != 2 or table.shape[1] % 6 or info.shape != (6,) or not len(table):
        raise ValueError(
            f"`{node.name}` (op {node.op}) must read a table with 6 numbers of each output and "
            f"interval, and 6 numbers about it, got shapes {table.shape} and {info.shape}"
        )
    if not (np.isfinite(table).all() and np.isfinite(info).all()):
        raise ValueError(f"the table of `{node.name}` must hold finite numbers, but does not")
    lower, upper, end, fine, coarse = as_written(info)[:5].tolist()
    steps = _stretches(lower, upper, end, fine, coarse, two_sided)
    left = np.concatenate([begin + step * np.arange(number) for begin, step, number in steps])
    width = np.concatenate([np.full(number, step) for _, step, number in steps])
    if len(left) != len(table):
        raise ValueError(
            f"the table of `{node.name}` must have {len(left)} intervals, which its ends and steps "
            f"say, got {len(table)}"
        )
    factors = table.reshape(len(table), -1, 6).astype(np.float64)
    of_values = BOUNDS["float32" if table.dtype == np.float32 else "float64"]
    bound = [_bound(*piece, of_values) for piece in zip(factors, width, strict=True)]
    return Pieces(left, width, factors, np.array(bound), len(left) - steps[-1][2])


def _bound(factors: np.ndarray, width: float, bound: float) -> float:
    """Return how much values of a piece may change."""
    values = np.polynomial.polynomial.polyval(np.linspace(0, width, 9), factors.T)
    return bound * max(1.0, float(np.abs(values).max()))


def _stretches(
    lower: float, upper: float, end: float, fine: float, coarse: float, two_sided: bool
) -> list[tuple[float, float, int]]:
    """Return begin, step and number of intervals of the stretches of a table."""
    if not (fine > 0 and coarse > 0 and lower < upper < end and (not two_sided or -end < lower)):
        raise ValueError(
            "a table must have positive steps and rising ends, got steps "
            f"{fine}, {coarse} and ends {lower}, {upper}, {end}"
        )
    stretches = [(-end, coarse, _whole(lower + end, coarse))] if two_sided else []
    stretches += [(lower, fine, _whole(upper - lower, fine))]
    return [*stretches, (upper, coarse, _whole(end - upper, coarse))]


def _whole(length: float, step: float) -> int:
    return int(length / step + ROUNDING)


def times_argument(pieces: Pieces, share: float) -> Pieces:
    """Return the table of share x G(x)."""
    before = pieces.left[:, None, None] * pieces.factors
    none = np.zeros_like(pieces.factors[..., :1])
    factors = np.concatenate([before, none], -1) + np.concatenate([none, pieces.factors], -1)
    return Pieces(pieces.left, pieces.width, share * factors, share * pieces.bound, pieces.far)


def table_arrays(curves: Sequence[Pieces]) -> Arrays:
    """Return the arrays of one table of these curves, which a model of deeptf has for nets."""
    far = max(_number(one.left[one.far] - one.left[0], one.width[one.far - 1]) for one in curves)
    near = max(len(one.left) - one.far for one in curves)
    nodes, counts, grid = [], [], []
    for one in curves:
        upper, fine, coarse = one.left[one.far], one.width[one.far - 1], one.width[-1]
        starts = np.concatenate(
            [upper - fine * np.arange(far, 0, -1), upper + coarse * np.arange(near)]
        )
        widths = np.repeat([fine, coarse], [far, near])
        for segment in zip(starts, widths, strict=True):
            values, step = _nodes(one, *segment)
            nodes.append(values)
            counts.append(len(values))
            grid.append((segment[0], step))
    width = curves[0].factors.shape[1]
    padding = padded_width(width) - width
    return {
        TABLE: np.pad(np.concatenate(nodes), [(0, 0), (0, 0), (0, padding)]),
        TABLE_ROW: np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        TABLE_GRID: np.array(grid),
        STORED_NEAR: np.array(near, np.int32),
    }


def _number(length: float, step: float) -> int:
    """Return the number of steps in a length; ValueError where it is not whole."""
    number = length / step
    if abs(number - round(number)) > ROUNDING * max(1.0, number):
        raise ValueError(f"steps of a table must divide its length, got {step} and {length}")
    return round(number)


def _nodes(pieces: Pieces, start: float, width: float) -> tuple[np.ndarray, float]:
    """Return values and slopes times step at the nodes of a segment, [k, 2, M], and the step."""
    place = int(np.searchsorted(pieces.left, start + width / 2, "right")) - 1
    last = len(pieces.left) - 1
    piece = min(max(place, 0), last)
    end = pieces.left[last] + pieces.width[last]
    line = place < 0 or start + width / 2 > end
    factors, whole = pieces.factors[piece], pieces.width[piece]
    number = 1 if line else _intervals(factors, whole, width, pieces.bound[piece])
    step = width / number
    v = start - pieces.left[piece] + step * np.arange(number + 1)
    inside = np.full_like(v, 0.0 if place < 0 else whole) if line else v
    value, slope = (
        np.moveaxis(np.polynomial.polynomial.polyval(inside, form), -1, 0)
        for form in (factors.T, np.polynomial.polynomial.polyder(factors.T))
    )
    value = value + slope * (v - inside)[:, None]
    return np.stack([value, slope * step], axis=1), step


def _intervals(factors: np.ndarray, whole: float, width: float, bound: float) -> int:
    """Return in how many parts a segment of a piece is cut."""
    orders = np.arange(4, factors.shape[1])
    scale = orders * (orders - 1) * (orders - 2) * (orders - 3) * whole ** (orders - 4.0)
    fourth = np.max(np.abs(factors[:, 4:]) @ scale)  # the largest fourth derivative
    number = max(1, int(np.ceil(width * (fourth / (384.0 * bound)) ** 0.25)))
    if number > MOST_PARTS:
        raise ValueError(
            f"intervals of a table must be narrow enough for cubics, got one of {width} that asks "
            f"for {number} of them"
        )
    return number
