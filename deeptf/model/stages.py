"""The plan of a model: the stages of an evaluation, each with the constants that its kernel reads.

A model file has the plan as JSON beside the graph (exchange/frozen.py), so that energies, forces
and virials, or another property of the atoms, can be evaluated without TensorFlow. A stage is the
object of its class here: `kernel` and the fields. It takes a value, or several, and gives another,
all named; the first ones take the pairs. Those of sums over neighbours are in neighbor_stages.py,
of vectors and tensors in tensor_stages.py, of energies of pairs in short_range_stages.py. A
Constant is the name of an array of the file. Derivatives are the business of the kernels.

    N centres whose property counts, virtual atoms left out; P pairs of them; T types; W columns of
    a row; M width of a net, or number of axes

c and t are the types of centre and neighbour. Everything is float64, but where a stage has a
`precision`: it computes in that and takes its input cast to it. Lengths in A, energies in eV.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NewType, Protocol

from deeptf.model.parameters import Parameters

Constant = NewType("Constant", str)


class Stage(Protocol):
    """A step of an evaluation."""

    kernel: ClassVar[str]
    takes: str | Sequence[str]  # names of values
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
    net_c(D, p) = net(D, types_c, p). Virtual atoms of spins, whose types come last, have no nets,
    and T counts real types alone.
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
class DipoleCharge:
    """Energy [N] of charges at atoms and at centres beside them, with all of a frame; the last one.

    takes : [N, 3] A, from each atom to its centre. The energy is that of term/dipole_charge.py, a
    sum over all atoms of a frame: blocks of them have to wait for each other.
    """

    kernel: ClassVar[str] = "dipole_charge"
    takes: str
    gives: str
    charge: Sequence[float]  # of each type, in e
    centre: Sequence[float | None]  # of the centre of each type; None for one without
    beta: float
    spacing: float


@dataclass(frozen=True)
class PropertyNet:
    """Numbers [N, ...] of each centre, float64: net_c(D, p) with p as FittingNet has it.

    Layers are those of a FittingNet, but the last one gives any number of numbers. There is a net
    of each chosen type, or with `types` one for all of them; centres of other types have zeros.
    """

    kernel: ClassVar[str] = "property_net"
    takes: str
    gives: str
    precision: str
    activation: str
    chosen: Sequence[bool]  # [T] types that have a net
    nets: Sequence[Net]
    fparam: Standardised | None = None
    aparam: Standardised | None = None
    types: Constant | None = None  # [T, n]


@dataclass(frozen=True)
class Scaled:
    """A value times a number: the energies of a part of a sum times its weight."""

    kernel: ClassVar[str] = "scaled"
    takes: str
    gives: str
    factor: float


@dataclass(frozen=True)
class TermPlan:
    """A term of a model: its stages in order, and which values are properties of the atoms.

    What a model gives is the sum of `atom_energy`, or of another property of atoms such as
    `atom_dipole`, over its terms and atoms. With g = dE/d(displacement) of a pair, from centre i to
    neighbour j, force_i += g, force_j -= g and virial -= g (x) displacement. For a property of
    several numbers E is the sum of them by weights that a caller gives for each centre.
    """

    type: str
    stages: Sequence[Stage]
    values: Mapping[str, str]  # property (properties.py) -> value


def with_pairs_within(stages: Sequence[Stage], rcut: float, name: str) -> list[Stage]:
    """Return stages that take the pairs closer than rcut, called `name`, in the place of all."""
    taking = [
        dataclasses.replace(stage, takes=name) if stage.takes == ALL_PAIRS else stage
        for stage in stages
    ]
    return [Within(name, rcut), *taking]


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
