"""Stages of a plan (stages.py) that give sums over the neighbours of each centre.

Letters are those of stages.py, and C the number of curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from deeptf.model.stages import Constant, Layer, Net


@dataclass(frozen=True)
class EmbeddingSum:
    """Sums [N, W, M] over the neighbours of each centre, with nets G as tables.

        S = sum_j w_j (x) G_k(x_j)  +  sum_t (sel_t - n_t) w_0 (x) G_k(x_0)

    with k = curve[t, c] and x_0 = empty[t, c]. x is the first column of a row. w is the row where
    W = 4, with w_0 = (x_0, 0, 0, 0), and 1 where W = 1. n_t is the number of neighbours of type t;
    blocks with k = -1 are left out.

    Curve k has the segments k S to (k + 1) S - 1, one behind the other: all of one width, but for
    the last `near` ones, beyond the range of the data, which have another. Segment q has the nodes
    node_row[q] to node_row[q + 1] - 1 at x = grid[q, 0] + n grid[q, 1]. Between two nodes G is the
    cubic with their values and slopes; before the first and behind the last node of a curve the
    straight line goes on.

    Rows and places on the grid are float64 whatever the precision. In float32 are the four numbers
    of an interval, with the difference of the right value from the left one in place of the right
    value, for it is what slopes come from; and so are the sums.
    """

    kernel: ClassVar[str] = "embedding_sum"
    takes: str
    gives: str
    columns: int  # W
    width: int  # M
    segments: int  # S
    near: int
    nodes: Constant  # [nodes, 2, >= M] value, slope times step
    node_row: Constant  # [C S + 1], int32
    grid: Constant  # [C S, 2] x of the first node, step
    curve: Constant  # [T, T], int32; neighbour type first
    sel: Constant  # [T] places
    empty: Constant  # [T, T] x of a place without a neighbour; neighbour type first
    precision: str = "float64"


@dataclass(frozen=True)
class TripleSum:
    """Sums [N, M] over two neighbours at a time, S = sum_jk H_b(x_jk) with x_jk = v_j . v_k.

    v are the last three columns of rows of W = 4. Every two neighbours count once: the blocks b are
    those of types (0, 0), (0, 1) ... (T - 1, T - 1), s <= t, with j before k where s = t; then, as
    T further blocks, come j = k. Curve b is a table as in EmbeddingSum.
    """

    kernel: ClassVar[str] = "triple_sum"
    takes: str
    gives: str
    width: int  # M
    segments: int
    near: int
    nodes: Constant
    node_row: Constant
    grid: Constant
    bent: bool  # tables are by asinh x
    precision: str = "float64"


@dataclass(frozen=True)
class NetworkSum:
    """The same sums with the nets themselves: G_k is nets[k], evaluated for every pair.

    A layer that keeps the width adds x, one that doubles it adds (x, x). With `first_bias` all G_k
    have the layers of nets[0], but for the bias of the first one, which is first_bias[k].
    """

    kernel: ClassVar[str] = "network_sum"
    takes: str
    gives: str
    columns: int  # W
    precision: str
    activation: str
    nets: Sequence[Net]
    curve: Constant  # as in EmbeddingSum
    sel: Constant
    empty: Constant
    first_bias: Constant | None = field(default=None, kw_only=True)  # [C, out]


@dataclass(frozen=True)
class TripleNetworkSum:
    """The sums of TripleSum with the nets themselves, S = sum_jk shares_b x_jk G_b(x_jk).

    G_b is nets[b], evaluated for every two neighbours.
    """

    kernel: ClassVar[str] = "triple_network_sum"
    takes: str
    gives: str
    precision: str
    activation: str
    nets: Sequence[Net]
    shares: Constant  # [T (T + 3) / 2]


@dataclass(frozen=True)
class Share:
    """p = 1 - max(1 - rcut_smth s, 0)^3 of a pair, with s = row[0] stddev[c, 0] + mean[c, 0]."""

    rcut_smth: float
    mean: Constant  # [T, 4]
    stddev: Constant  # [T, 4]


@dataclass(frozen=True)
class GatedSum(EmbeddingSum):
    """The sums of EmbeddingSum with (1 + p_j gate[t, c]) G_k(x_j) of pairs in place of G_k(x_j).

    W is 4. A place without a neighbour has no gate, and p is 1 where no share says what it is.
    """

    kernel: ClassVar[str] = "gated_sum"
    gate: Constant = field(kw_only=True)  # [T, T, M] neighbour type first
    share: Share | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class GatedNetworkSum(NetworkSum):
    """The same with the nets themselves."""

    kernel: ClassVar[str] = "gated_network_sum"
    gate: Constant = field(kw_only=True)
    share: Share | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class PairNetwork:
    """Values [P, M] of the pairs, G_k(x_j) or (1 + p_j gate[t, c]) G_k(x_j); see NetworkSum.

    Those of pairs with k = -1 are 0.
    """

    kernel: ClassVar[str] = "pair_network"
    takes: str
    gives: str
    precision: str
    activation: str
    nets: Sequence[Net]
    curve: Constant
    first_bias: Constant | None = None
    gate: Constant | None = None
    share: Share | None = None


@dataclass(frozen=True)
class AttentionLayer:
    """G -> scale norm(G + attention(G W_q + b_q, G W_k + b_k, G W_v + b_v) W_o + b_o) + shift.

    norm takes a row to its mean 0 and variance 1, (G - mean) / sqrt(variance + epsilon).
    """

    query: Layer  # [M, attn]
    key: Layer
    value: Layer
    output: Layer  # [attn, M]
    scale: Constant  # [M]
    shift: Constant  # [M]


@dataclass(frozen=True)
class AttentionSum:
    """Sums [N, 4, M] over the neighbours of each centre, S = sum_j row_j (x) G_j, from G and rows.

    Before, the layers change G. In attention with unit vectors q, k, v of pairs, their directions d
    (the last three numbers of a row, at unit length) and shares p, what j takes from pairs of its
    centre is

        sum_k w_jk v_k    w_jk = s_jk g_jk c_jk    g_jk = p_j p_k    c_jk = d_j . d_k
        s_jk = e^l_jk / (sum_m e^l_jm + (places - n) e^-20)    l_jk = (q_j . k_k + 20) g_jk - 20

    with the number n of pairs, where c is 1 without `dotr`, and w_jj is 0 without `diagonal`.
    Without `share` p and g are 1, l_jk = q_j . k_k, and places do not count. Pairs with
    curve[t, c] = -1 are left out.
    """

    kernel: ClassVar[str] = "attention_sum"
    takes: Sequence[str]  # G [P, M], rows [P, 4]
    gives: str
    precision: str
    layers: Sequence[AttentionLayer]
    epsilon: float
    places: int
    dotr: bool
    diagonal: bool
    curve: Constant
    share: Share | None = None


@dataclass(frozen=True)
class EmptyPlaces:
    """Sums [N, W, M] with what places without a neighbour add, whatever their number.

    sums[:, 0] + (places_c - sum_t counted[t, c] n_t) value_c
    """

    kernel: ClassVar[str] = "empty_places"
    takes: str
    gives: str
    precision: str
    places: Constant  # [T]
    counted: Constant  # [T, T] 1 or 0, neighbour type first
    value: Constant  # [T, M]
