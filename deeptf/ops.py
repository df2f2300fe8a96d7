"""The compiled ops as Python functions, and their gradients.

The library is loaded at the first use, see op_library.py.
Letters: F frames, N centre atoms, N_all atoms with ghosts, P pairs, T types, W columns, M width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from deeptf.op_library import library
from deeptf.tf import tf


class SortedPairs(NamedTuple):
    """Pairs in blocks of (neighbour type, centre type); N_real and P' leave virtual atoms out."""

    atom_order: tf.Tensor  # [N_real] centres, stably sorted by type
    atom_count: tf.Tensor  # [T] centres of each type
    neighbor_count: tf.Tensor  # [N_real, T] neighbours by type; rows in the order of atom_order
    pair_count: tf.Tensor  # [T, T] pairs of each block; neighbour type first
    centre: tf.Tensor  # [P'] atom index
    neighbor: tf.Tensor  # [P'] atom index
    displacement: tf.Tensor  # [P', 3] A


class CurveTable(NamedTuple):
    """Embedding nets at nodes, one curve after the other; C curves of S segments.

    The nodes of a segment are equally spaced, the first and the last one at its ends. Segments have
    one width, but for the last `near` ones of each curve, beyond the range of the data, which have
    another.
    """

    nodes: tf.Tensor  # [nodes, 2, padded M] value, and slope times step
    node_row: tf.Tensor  # [C S + 1] first node of each segment
    grid: tf.Tensor  # [C S, 2] x of the first node, step
    width: int  # M
    segments: int = 1  # S
    near: int = 0


class EmbeddingSums(NamedTuple):
    """Sums over neighbours, and what they found beyond the ranges of the data by block of pairs."""

    sum: tf.Tensor  # [N_real, 4, M]
    outside: tf.Tensor  # [T, T] number of pairs; neighbour type first
    closest: tf.Tensor  # [T, T] the closest of them; -1 without any


class AdamStep(NamedTuple):
    """The numbers of one step of Adam (core/adam.h)."""

    rate: tf.Tensor  # float64, learning rate times sqrt(1 - beta2^t) / (1 - beta1^t)
    beta1: float
    beta2: float
    epsilon: float


class Node(NamedTuple):
    """The processes on one machine as one of them sees them (core/meeting.h), for one op."""

    file: str  # memory that all map, zeros at the beginning
    offset: int  # bytes from its begin to the op's place in it, a multiple of a page
    room: int  # bytes of that place
    rank: int  # of this process
    pipes: list[int]  # for every process an open file: a pipe that is closed when it ends
    processes: list[int]  # the numbers that the system gave them
    patience: float  # s that one may be waited for before stderr says it


def neighbor_pairs(
    coord: tf.Tensor, cell: tf.Tensor, atom_type: tf.Tensor, frame_row: tf.Tensor, rcut: float
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Find all pairs closer than rcut, images included.

    coord [N, 3] A; cell [F, 3, 3] A, rows are cell vectors, zeros for no cell; atom_type [N], below
    0 for virtual atoms, which have no pairs; frame_row [F + 1] first atom of each frame.
    Returns row [N + 1], neighbor [P] and displacement [P, 3] = r_neighbor - r_centre (+ image), for
    each centre sorted by (neighbour type, neighbour index, image).
    Errors: a cell without volume, coordinates that are not finite, atoms on top of each other.
    """
    return tuple(library().neighbor_pairs(coord, cell, atom_type, frame_row, rcut))


def sort_pairs(
    row: tf.Tensor,
    neighbor: tf.Tensor,
    displacement: tf.Tensor,
    atom_type: tf.Tensor,
    num_types: int,
) -> SortedPairs:
    """Sort pairs by (neighbour type, centre type, centre); pairs with a virtual atom drop out.

    row [N + 1], neighbor [P] (below N_all), displacement [P, 3] A, atom_type [N_all].
    Errors: a displacement between real atoms that is not finite or shorter than 1e-6 A.
    """
    return SortedPairs(
        *library().sort_pairs(row, neighbor, displacement, atom_type, num_types=num_types)
    )


def environment(
    displacement: tf.Tensor,
    centre: tf.Tensor,
    atom_type: tf.Tensor,
    mean: tf.Tensor,
    stddev: tf.Tensor,
    rcut_smth: float,
    rcut: float,
) -> tf.Tensor:
    """Return the normalised environment rows (s, s x/r, s y/r, s z/r), [P, 4] in 1/A before that.

    displacement [P, 3] A, centre [P], atom_type [N_all]; mean and stddev [T, 4] by centre type.
    Differentiable once in the displacement, and then in whatever multiplies the rows.
    Errors: a displacement that is not finite or shorter than 1e-6 A.
    """
    return library().environment(
        displacement, centre, atom_type, mean, stddev, rcut_smth=rcut_smth, rcut=rcut
    )


def neighbor_sum(count: tf.Tensor, weight: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Return sum_j weight_j (x) value_j over the pairs of each atom, [n, W, M].

    count [n]: atom a owns count[a] consecutive pairs; weight [p, W]; value [p, M]; float32 or
    float64. Differentiable any number of times.
    """
    return library().neighbor_sum(count, weight, value)


def embedding_nodes(
    node_row: tf.Tensor,
    grid: tf.Tensor,
    weights: Sequence[tf.Tensor],
    neuron: Sequence[int],
    activation: str,
    resnet_dt: bool,
    segments: int = 1,
    near: int = 0,
) -> CurveTable:
    """Evaluate C nets of one number, with their slopes, at the nodes of their grids.

    node_row [C S + 1]; grid [C S, 2] x of the first node and step; weights: for each net and layer
    matrix, bias, and idt where resnet_dt and a residual connection ask for one.
    Differentiable once in the weights.
    """
    weights = [tf.convert_to_tensor(weight) for weight in weights]
    nodes = library().embedding_nodes(
        node_row,
        grid,
        weights,
        activation=activation,
        neuron=list(neuron),
        resnet_dt=resnet_dt,
        segments=segments,
    )
    unit = 64 // weights[0].dtype.size
    nodes = tf.ensure_shape(nodes, [None, 2, -(-neuron[-1] // unit) * unit])
    return CurveTable(nodes, node_row, grid, neuron[-1], segments, near)


def embedding_sum(
    rows: tf.Tensor,
    table: CurveTable,
    curve: tf.Tensor,
    sel: tf.Tensor,
    empty: tf.Tensor,
    atom_count: tf.Tensor,
    neighbor_count: tf.Tensor,
) -> EmbeddingSums:
    """Return sum_j R_j (x) G(R_j0) of every atom, empty places included.

    rows R [P', 4] of sorted pairs, with their atom_count [T] and neighbor_count [N_real, T]; curve
    [T, T] (neighbour type first) is the curve of each block, -1 to leave it out; sel [T] places of
    each neighbour type; empty [T] R_0 of an empty place of each centre type.
    Twice differentiable, but not twice in the rows. Errors: rows that are not finite.
    """
    found = library().embedding_sum(
        rows,
        table.nodes,
        table.node_row,
        table.grid,
        curve,
        sel,
        empty,
        atom_count,
        neighbor_count,
        width=table.width,
        segments=table.segments,
        near=table.near,
    )
    return EmbeddingSums(*found)


def moment_product(moments: tf.Tensor, axis: int) -> tf.Tensor:
    """Return T^T T[:, :axis] for moments T [n, W, M], as [n, M, axis]. Twice differentiable."""
    return library().moment_product(moments, axis=axis)


def fitting_net(
    descriptor: tf.Tensor,
    atom_count: tf.Tensor,
    weights: Sequence[tf.Tensor],
    neuron: Sequence[int],
    activation: str,
    resnet_dt: bool,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the energy [n] of one net per type and its slope dE/d(descriptor) [n, width].

    descriptor [n, width], float32 or float64, atoms sorted by type; atom_count [T], how many of
    each; neuron: widths of the hidden layers. weights, of the net of each type after that of the
    one before: for each hidden layer matrix [in, out], bias [out] and, with `resnet_dt` where a
    layer after the first keeps the width, its time step [out]; then matrix [neuron[-1], 1] and bias
    [1]. A layer after the first that keeps the width adds its input.
    Differentiable once, in descriptor and weights, through energy and slope: enough to train on
    forces.
    """
    net = library().fitting_net(
        descriptor,
        atom_count,
        list(weights),
        neuron=list(neuron),
        activation=activation.lower(),
        resnet_dt=resnet_dt,
    )
    return net.energy, net.slope


def force_virial(
    pair_gradient: tf.Tensor,
    displacement: tf.Tensor,
    centre: tf.Tensor,
    neighbor: tf.Tensor,
    atom_type: tf.Tensor,
    frame_row: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return force [N_all, 3] and virial [F, 9] = -sum r_a g_b from g = dE/d(displacement) [P, 3].

    centre [P] lies in one of the frames of frame_row [F + 1]; neighbor [P] may be a ghost.
    Differentiable any number of times in `pair_gradient`, and in `displacement`.
    """
    return tuple(
        library().force_virial(pair_gradient, displacement, centre, neighbor, atom_type, frame_row)
    )


def atom_virial(
    pair_gradient: tf.Tensor, displacement: tf.Tensor, neighbor: tf.Tensor, atom_type: tf.Tensor
) -> tf.Tensor:
    """Return the virial of each atom, [N_all, 9]: -g_a r_b of a pair counts for its neighbour.

    The indices stand as in deepmd-kit: the sum over atoms is the virial, transposed. No gradient.
    """
    return library().atom_virial(pair_gradient, displacement, neighbor, atom_type)


def adam_update(
    step: AdamStep,
    weights: Sequence[tf.Variable],
    first: Sequence[tf.Variable],
    second: Sequence[tf.Variable],
    gradients: Sequence[tf.Tensor],
) -> tf.Operation:
    """Move weights and moments by a step of Adam, all of one precision."""
    handles = [[variable.handle for variable in each] for each in (weights, first, second)]
    rate, *decay = step
    return library().adam_update(rate, *handles, gradients, *decay)


def adam_change(
    step: AdamStep,
    first: Sequence[tf.Variable],
    second: Sequence[tf.Variable],
    gradients: Sequence[tf.Tensor],
) -> list[tf.Tensor]:
    """Move moments as adam_update does; return what it would add to the weights."""
    handles = [[variable.handle for variable in each] for each in (first, second)]
    rate, *decay = step
    return library().adam_change(rate, *handles, gradients, *decay)


def matrix_products(
    a: Sequence[tf.Tensor],
    b: Sequence[tf.Tensor],
    transpose_a: Sequence[bool],
    transpose_b: Sequence[bool],
) -> list[tf.Tensor]:
    """Return the products a_k b_k of matrices of one precision, each factor transposed or not.

    All of them together keep the threads busy, where one small product after the other does not.
    Not differentiable.
    """
    if not a:
        return []
    transpose = {"transpose_a": list(transpose_a), "transpose_b": list(transpose_b)}
    return library().matrix_products(a, b, **transpose)


def node_sum(node: Node, values: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Return the sums of tensors of one precision over all processes, bit for bit the same in all.

    Every process must do it with tensors of the same known shapes, and at a place in the memory for
    nothing else. AbortedError where another process ends instead. Not differentiable.
    """
    return library().node_sum(values, *node, [value.shape for value in values])


def node_adam(
    step: AdamStep,
    node: Node,
    weights: Sequence[tf.Variable],
    first: Sequence[tf.Variable],
    second: Sequence[tf.Variable],
    gradients: Sequence[tf.Tensor],
    numbers: tf.Tensor,
) -> tf.Tensor:
    """Move weights and moments by a step of Adam with the sums of the gradients of all processes.

    Weights and moments must be equal in all processes, and of one precision. They lie in the memory
    of all afterwards: what is fetched of moments holds until the next step, what is fetched of
    weights until the one after that. Else see node_sum.
    numbers : [K], summed as well.
    Returns the sums [K].
    """
    handles = [[variable.handle for variable in each] for each in (weights, first, second)]
    rate, *decay = step
    shapes = [gradient.shape for gradient in gradients]
    extra = numbers.shape.num_elements()
    return library().node_adam(rate, *handles, gradients, numbers, *node, shapes, extra, *decay)


def _unavailable(like: tf.Tensor, what: str) -> tf.Tensor:
    """Return a tensor that fails when, and only when, something asks for its value."""
    failed = tf.raw_ops.Assert(condition=False, data=[f"deeptf has no {what}"])
    with tf.control_dependencies([failed]):
        return tf.identity(like)


@tf.RegisterGradient("Environment")
def _environment_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    out = library().environment_grad(grad, *op.inputs)
    return [out] + [None] * 6


@tf.RegisterGradient("EnvironmentGrad")
def _environment_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    out = library().environment_grad_grad(grad, *op.inputs[1:])
    second = _unavailable(op.inputs[1], "second derivative of the environment in the coordinates")
    return [out, second] + [None] * 6


@tf.RegisterGradient("EnvironmentGradGrad")
def _environment_grad_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    out = library().environment_grad(grad, *op.inputs[1:])
    second = _unavailable(op.inputs[1], "second derivative of the environment in the coordinates")
    return [out, second] + [None] * 6


@tf.RegisterGradient("NeighborSum")
def _neighbor_sum_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    count, weight, value = op.inputs
    return [
        None,
        library().neighbor_sum_weight_grad(count, value, grad),
        library().neighbor_sum_value_grad(count, weight, grad),
    ]


@tf.RegisterGradient("NeighborSumValueGrad")
def _neighbor_sum_value_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    count, weight, upper = op.inputs  # value_grad = weight * upper
    return [
        None,
        library().neighbor_sum_weight_grad(count, grad, upper),
        library().neighbor_sum(count, weight, grad),
    ]


@tf.RegisterGradient("NeighborSumWeightGrad")
def _neighbor_sum_weight_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    count, value, upper = op.inputs  # weight_grad = value * upper
    return [
        None,
        library().neighbor_sum_value_grad(count, grad, upper),
        library().neighbor_sum(count, grad, value),
    ]


@tf.RegisterGradient("EmbeddingNodes")
def _embedding_nodes_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    node_row, grid, *weights = op.inputs
    names = ("activation", "neuron", "resnet_dt", "segments")
    attributes = {name: op.get_attr(name) for name in names}
    return [
        None,
        None,
        *library().embedding_nodes_grad(node_row, grid, weights, grad, **attributes),
    ]


_SIZES = ("width", "segments", "near")  # attributes of the ops of embedding sums


@tf.RegisterGradient("EmbeddingSum")
def _embedding_sum_grad(op: tf.Operation, grad: tf.Tensor, *_: tf.Tensor) -> list[tf.Tensor | None]:
    sizes = {name: op.get_attr(name) for name in _SIZES}
    return [
        library().embedding_sum_grad(*op.inputs, grad, **sizes),
        library().embedding_table_grad(*op.inputs, grad, **sizes),
    ] + [None] * 7


@tf.RegisterGradient("EmbeddingSumGrad")
def _embedding_sum_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    *shared, upper = op.inputs
    sizes = {name: op.get_attr(name) for name in _SIZES}
    return [
        _unavailable(shared[0], "second derivative of an embedding in the rows"),
        library().embedding_tangent_table_grad(*shared, grad, upper, **sizes),
        *[None] * 7,
        library().embedding_sum_tangent(*shared, grad, **sizes),
    ]


@tf.RegisterGradient("MomentProduct")
def _moment_product_grad(op: tf.Operation, grad: tf.Tensor) -> tf.Tensor:
    return library().moment_product_grad(op.inputs[0], grad, axis=op.get_attr("axis"))


@tf.RegisterGradient("MomentProductGrad")
def _moment_product_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor]:
    moments, upper = op.inputs
    axis = op.get_attr("axis")
    return [
        library().moment_product_grad(grad, upper, axis=axis),
        library().moment_product_polar(moments, grad, axis=axis),
    ]


@tf.RegisterGradient("FittingNet")
def _fitting_net_grad(
    op: tf.Operation, energy_grad: tf.Tensor, slope_grad: tf.Tensor, *_: tf.Tensor
) -> list[tf.Tensor | None]:
    descriptor, atom_count, *weights = op.inputs
    descriptor_grad, weight_grads = library().fitting_net_grad(
        energy_grad,
        slope_grad,
        *op.outputs[2:],
        descriptor,
        atom_count,
        weights,
        **{name: op.get_attr(name) for name in ("neuron", "activation", "resnet_dt")},
    )
    return [descriptor_grad, None, *weight_grads]


@tf.RegisterGradient("FittingNetGrad")
def _fitting_net_grad_grad(op: tf.Operation, *_: tf.Tensor) -> list[tf.Tensor | None]:
    what = "derivative of the gradient of a fitting net"
    return [_unavailable(x, what) if x.dtype.is_floating else None for x in op.inputs]


def _gradient_in_displacement(
    pair_gradient: tf.Tensor, virial_grad: tf.Tensor, centre: tf.Tensor, frame_row: tf.Tensor
) -> tf.Tensor:
    """Return d(virial . virial_grad)/d(displacement) = -virial_grad g, [P, 3]."""
    frame = tf.searchsorted(frame_row, centre, side="right") - 1
    matrix = tf.gather(tf.reshape(virial_grad, [-1, 3, 3]), frame)  # [P, 3, 3]
    return -tf.einsum("pab,pb->pa", matrix, pair_gradient)


@tf.RegisterGradient("ForceVirial")
def _force_virial_grad(
    op: tf.Operation, force_grad: tf.Tensor, virial_grad: tf.Tensor
) -> list[tf.Tensor | None]:
    pair_gradient, displacement, centre, neighbor, _, frame_row = op.inputs
    return [
        library().force_virial_grad(
            force_grad, virial_grad, displacement, centre, neighbor, frame_row
        ),
        _gradient_in_displacement(pair_gradient, virial_grad, centre, frame_row),
    ] + [None] * 4


@tf.RegisterGradient("ForceVirialGrad")
def _force_virial_grad_grad(op: tf.Operation, grad: tf.Tensor) -> list[tf.Tensor | None]:
    force_grad, virial_grad, displacement, centre, neighbor, frame_row = op.inputs
    atoms = tf.zeros(tf.shape(force_grad)[:1], tf.int32)  # only its length counts
    force, virial = library().force_virial(grad, displacement, centre, neighbor, atoms, frame_row)
    return [
        force,
        virial,
        _gradient_in_displacement(grad, virial_grad, centre, frame_row),
    ] + [None] * 3
