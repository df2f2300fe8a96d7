"""The plan of a model: the stages of an evaluation, each with the constants that its kernel reads.

A model file has the plan as JSON beside the graph (exchange/frozen.py), so that energies, forces
and virials can be evaluated without TensorFlow. A stage is the object of its class here: `kernel`
and the fields. It takes a value and gives another, both named; the first ones take the pairs. A
Constant is the name of an array of the file. Derivatives are the business of the kernels.

    N centres whose energy counts, virtual atoms left out; P pairs of them; T types; W columns of a
    row; M width of a net

c and t are the types of centre and neighbour. Everything is float64, but where a stage has a
`precision`: it computes in that and takes its input cast to it. Lengths in A, energies in eV.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NewType, Protocol

from deeptf.model.parameters import Parameters

Constant = NewType("Constant", str)


class Stage(Protocol):
    """A step of an evaluation."""

    kernel: ClassVar[str]
    gives: str  # name of the value


@dataclass(frozen=True)
class Layer:
    """x -> act(x matrix + bias) [* idt], plus x where the width stays, where nets say so."""

    matrix: Constant  # [in, out]
    bias: Constant  # [out]
    idt: Constant | None = None  # [out]; None is 1


Net = Sequence[Layer]
ALL_PAIRS = "pairs"  # the value that is there at the start


@dataclass(frozen=True)
class Environment:
    """Rows [P, W] = (R - mean_c) / stddev_c with R = (s, s x/r, s y/r, s z/r), its first columns.

    s = 1/r below rcut_smth, (u^3 (-6 u^2 + 15 u - 10) + 1) / r up to rcut and 0 beyond, with
    u = (r - rcut_smth) / (rcut - rcut_smth).
    """

    kernel: ClassVar[str] = "environment"
    gives: str
    columns: int  # W, 1 or 4
    rcut_smth: float
    rcut: float
    mean: Constant  # [T, W]
    stddev: Constant  # [T, W]
    takes: str = ALL_PAIRS


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
class Axis:
    """The `rank`-th nearest neighbour of those in some places."""

    places: Sequence[int]
    rank: int


@dataclass(frozen=True)
class LocalFrames:
    """Descriptor [N, M] = (D - mean_c) / stddev_c of neighbours in axes that two of them span.

    The places of a centre are for the n-th nearest neighbours of each type, of which the first
    sel_a are angular and the next sel_r radial; angular ones come first, both by type and number.
    With u and w to the neighbours of both axes, e1 = u/|u|, e2 = (w - (w . e1) e1) normalised and
    e3 = e1 x e2, D has

        1/r, d . e3 / r^2, d . e1 / r^2, d . e2 / r^2    of each angular place
        1/r                                              of each radial place

    0 without a neighbour closer than rcut. Where u . w / (|u| |w|) is below -0.9999, w leads to the
    next nearest. An atom without an axis, or with |w - (w . e1) e1| <= 1e-6 |w|, is an error.
    """

    kernel: ClassVar[str] = "local_frames"
    gives: str
    rcut: float
    sel_a: Sequence[int]  # [T]
    sel_r: Sequence[int]  # [T]
    rules: Sequence[Sequence[Axis]]  # of both axes, by type of the centre
    lacks: Sequence[Sequence[str]]  # what is wrong without each axis and where they are on one line
    mean: Constant  # [T, M]
    stddev: Constant  # [T, M]
    takes: str = ALL_PAIRS


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


@dataclass(frozen=True)
class MomentProduct:
    """Descriptor [N, M * axis] = (T^T T)[:, :axis], row by row, with T = sums / places."""

    kernel: ClassVar[str] = "moment_product"
    takes: str
    gives: str
    precision: str
    axis: int
    places: int


@dataclass(frozen=True)
class ScaledSum:
    """Descriptor [N, M] = (sums[:, 0] + added_c) / divisor."""

    kernel: ClassVar[str] = "scaled_sum"
    takes: str
    gives: str
    precision: str
    divisor: float
    added: Constant | None = None  # [T, M]


@dataclass(frozen=True)
class Concatenation:
    """Descriptor [N, ...]: values of atoms side by side, in the highest precision of them."""

    kernel: ClassVar[str] = "concatenation"
    takes: Sequence[str]
    gives: str


@dataclass(frozen=True)
class Within:
    """The pairs closer than rcut, which stages take in the place of all."""

    kernel: ClassVar[str] = "within"
    gives: str
    rcut: float
    takes: str = ALL_PAIRS


@dataclass(frozen=True)
class Standardised:
    """(value - mean) / stddev of numbers that a frame or atom is given."""

    mean: Constant
    stddev: Constant


@dataclass(frozen=True)
class FittingNet:
    """Energy [N] of each centre: E = net_c(D, p) + constant_c, the sum in float64.

    p has the standardised fparam of its frame, then its own aparam, as far as there are any. Where
    relative[c], net_c(isolated_c, p) is subtracted. A layer after the first that keeps the width
    adds x; the last layer of a net has no activation. With `types` there is one net for all,
    net_c(D, p) = net(D, types_c, p).
    """

    kernel: ClassVar[str] = "fitting_net"
    takes: str
    gives: str
    precision: str
    activation: str
    nets: Sequence[Net]  # of each type
    constant: Constant  # [T] eV
    fparam: Standardised | None = None
    aparam: Standardised | None = None
    relative: Sequence[bool] = ()
    isolated: Constant | None = None  # [T, width] descriptor of an atom without neighbours
    types: Constant | None = None  # [T, n]


@dataclass(frozen=True)
class TermPlan:
    """A term of a model: its stages in order, and which values are properties of the atoms.

    The energy of a model is the sum of `atom_energy` over its terms and atoms. With
    g = dE/d(displacement) of a pair, from centre i to neighbour j, force_i += g, force_j -= g and
    virial -= g (x) displacement.
    """

    type: str
    stages: Sequence[Stage]
    values: Mapping[str, str]  # property (properties.py) -> value


def net_of(name: str, layers: Sequence[str | int], parameters: Parameters) -> list[Layer]:
    """Return the layers of a net by the names of their arrays below `name`."""
    net = []
    for layer in layers:
        matrix, bias, idt = (f"{name}/{layer}/{kind}" for kind in ("matrix", "bias", "idt"))
        scaled = parameters.known(idt) is not None
        full = [Constant(parameters.name(array)) for array in (matrix, bias, idt)]
        net.append(Layer(full[0], full[1], full[2] if scaled else None))
    return net


def as_json(plan: Any) -> Any:
    """Return the JSON form of a TermPlan or anything in it."""
    if dataclasses.is_dataclass(plan):
        kernel = getattr(type(plan), "kernel", None)
        fields = {f.name: as_json(getattr(plan, f.name)) for f in dataclasses.fields(plan)}
        return ({} if kernel is None else {"kernel": kernel}) | fields
    if isinstance(plan, Mapping):
        return {key: as_json(value) for key, value in plan.items()}
    if isinstance(plan, list | tuple):
        return [as_json(item) for item in plan]
    return plan
