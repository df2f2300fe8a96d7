"""A model file evaluated by its plan: NumPy and the twins, no TensorFlow and no compiled ops.

Each kernel is a function of a stage and the value that it takes. It returns the value that it gives
and a function that turns the gradient of the energy in that into the gradient in what it took.
"""

from __future__ import annotations

import numpy as np
import plan_attention
import plan_sums
import twins
from plan_layers import layer_value, step_of

from deeptf.exchange.model_file import read_model

SUMS = (
    "embedding_sum",
    "gated_sum",
    "network_sum",
    "gated_network_sum",
    "pair_network",
    "triple_sum",
    "triple_network_sum",
    "empty_places",
)


class Plan:
    """The plan and the constants of a model file, and the atoms that it is evaluated for."""

    def __init__(self, path):
        self.model = read_model(path)

    def constant(self, name):
        """Return a constant by its name; floats as float64."""
        value = self.model.constant(name)
        return value.astype(np.float64) if value.dtype.kind == "f" else value

    def __call__(self, coord, cell, atom_type, frame_row, fparam=None, aparam=None):
        """Return energy, force, virial and atom_energy of frames."""
        self.atom_type, self.fparam, self.aparam = atom_type, fparam, aparam
        metadata = self.model.metadata
        pairs = twins.neighbor_pairs(coord, cell, atom_type, frame_row, metadata["rcut"])
        self.num_types = len(metadata["type_map"])
        self.sorted = order = twins.sort_pairs(*pairs, atom_type, self.num_types)
        self.order, _, self.neighbor_count, _, self.centre, neighbor, displacement = order[:7]
        self.displacement, self.neighbor = displacement, neighbor
        self.frame = np.searchsorted(frame_row, self.order, side="right") - 1
        self.place = np.zeros(len(atom_type), int)
        self.place[self.order] = np.arange(len(self.order))
        energy, gradient = np.zeros(len(atom_type)), np.zeros_like(displacement)
        for term in metadata["plan"]:
            of_atom, of_pair = self._term(term)
            energy[self.order] += of_atom
            gradient += of_pair
        geometry = gradient, displacement, self.centre, neighbor, len(atom_type)
        force, virial = twins.force_virial(*geometry, frame_row)
        of_frame = np.add.reduceat(energy, frame_row[:-1])
        return {"energy": of_frame, "force": force, "virial": virial, "atom_energy": energy}

    def of_pairs(self, function):
        """Return half the sums of a function of pairs for each centre, and how a gradient pulls."""
        value, gradient = twins.pair_energies(function, self.sorted, self.atom_type)
        return value, lambda upper: upper[self.place[self.centre], None] * gradient

    def _term(self, term):
        """Return the energies of the atoms in order, and the gradient of their sum."""
        values, back = {"pairs": self.displacement}, []
        for stage in term["stages"]:
            taken = stage.get("takes", "pairs")
            kernel, given = KERNELS[stage["kernel"]], stage["gives"]
            if isinstance(taken, list):
                values[given], pull = kernel(self, stage, [values[name] for name in taken])
                back.append((taken, given, pull))
            else:
                values[given], pull = kernel(self, stage, values[taken])
                back.append(([taken], given, lambda upper, pull=pull: [pull(upper)]))
        energy = term["values"]["atom_energy"]
        gradients = {energy: np.ones_like(values[energy])}
        for taken, given, pull in reversed(back):
            for name, part in zip(taken, pull(gradients.pop(given)), strict=True):
                gradients[name] = gradients.get(name, 0) + part
        return values[energy], gradients["pairs"]


def environment(plan, stage, displacement):
    where = plan.centre, plan.atom_type
    mean, stddev = (plan.constant(stage[name]) for name in ("mean", "stddev"))
    lengths = stage["rcut_smth"], stage["rcut"]
    rows = twins.environment(displacement, *where, mean, stddev, *lengths)
    return rows, lambda upper: twins.environment_grad(upper, displacement, *where, stddev, *lengths)


def within(plan, stage, pairs):
    """Leave all pairs: those beyond the cut-off of a part equal empty places."""
    return pairs, lambda upper: upper


def concatenation(plan, stage, parts):
    ends = np.cumsum([part.shape[1] for part in parts])[:-1]
    return np.concatenate(parts, axis=1), lambda upper: np.split(upper, ends, axis=1)


def moment_product(plan, stage, sums):
    moments, axis = sums / stage["places"], stage["axis"]

    def pull(upper):
        upper = upper.reshape(len(moments), -1, axis)
        return twins.moment_product_grad(moments, upper) / stage["places"]

    return twins.moment_product(moments, axis).reshape(len(moments), -1), pull


def scaled_sum(plan, stage, sums):
    divisor, value = stage["divisor"], sums[:, 0]
    if stage["added"] is not None:
        value = value + plan.constant(stage["added"])[plan.atom_type[plan.order]]
    return value / divisor, lambda upper: upper[:, None] / divisor


def scaled(plan, stage, value):
    factor = stage["factor"]
    return factor * value, lambda upper: factor * upper


def fitting_net(plan, stage, descriptor):
    types = plan.atom_type[plan.order]
    condition = [np.zeros((len(types), 0))]
    for name, given, rows in (
        ("fparam", plan.fparam, plan.frame),
        ("aparam", plan.aparam, plan.order),
    ):
        if stage[name] is not None:
            mean, stddev = (plan.constant(stage[name][kind]) for kind in ("mean", "stddev"))
            condition.append(((given - mean) / stddev)[rows])
    if stage["types"] is not None:
        condition.insert(0, plan.constant(stage["types"])[types])
    condition = np.concatenate(condition, axis=1)
    energy, slope = np.zeros(len(types)), np.zeros_like(descriptor)
    for t in range(len(plan.constant(stage["constant"]))):
        net, here = stage["nets"][0 if stage["types"] is not None else t], types == t
        given = condition[here]
        value, down = _net(plan, stage, net, np.concatenate([descriptor[here], given], axis=1))
        energy[here] = value + plan.constant(stage["constant"])[t]
        slope[here] = down[:, : descriptor.shape[1]]
        if stage["relative"][t]:
            alone = np.tile(plan.constant(stage["isolated"])[t], (len(given), 1))
            energy[here] -= _net(plan, stage, net, np.concatenate([alone, given], axis=1))[0]
    return energy, lambda upper: upper[:, None] * slope


def _net(plan, stage, net, x):
    """Return the number of each row of x and its slope."""
    pulls = []
    for number, layer in enumerate(net):
        activation = stage["activation"] if layer is not net[-1] else "linear"
        y, pull = layer_value(plan, activation, layer, x)
        keeps = 0 < number < len(net) - 1 and y.shape[1] == x.shape[1]
        pulls.append((pull * step_of(plan, layer), plan.constant(layer["matrix"]), keeps))
        x = x + y if keeps else y
    slope = np.ones_like(x)
    for pull, matrix, keeps in reversed(pulls):
        slope = (slope * pull) @ matrix.T + (slope if keeps else 0)
    return x[:, 0], slope


def pair_table(plan, stage, displacement):
    nodes, grid = (plan.constant(stage[name]) for name in ("nodes", "grid"))
    types = plan.num_types
    place = {pair: k for k, pair in enumerate(zip(*np.triu_indices(types), strict=True))}
    return plan.of_pairs(
        lambda r, a, b: twins.pair_table(r, nodes[place[min(a, b), max(a, b)]], grid, stage["rcut"])
    )


def zbl(plan, stage, displacement):
    number = plan.constant(stage["atomic_number"])
    ends = stage["rin"], stage["rout"]
    return plan.of_pairs(lambda r, a, b: twins.zbl(r, number[a], number[b], *ends))


def soft_minimum(plan, stage, displacement):
    lengths = (stage[name] for name in ("alpha", "rmin", "rmax"))
    value, gradient = twins.soft_minimum(plan.sorted, len(plan.atom_type), *lengths)
    return value, lambda upper: upper[plan.place[plan.centre], None] * gradient


def blend(plan, stage, taken):
    switch, first, second = taken
    if stage["added"] is not None:
        first = first + plan.constant(stage["added"])[plan.atom_type[plan.order]]

    def pull(upper):
        return upper * (first - second), upper * switch, upper * (1 - switch)

    return switch * first + (1 - switch) * second, pull


KERNELS = {
    kernel.__name__: kernel
    for kernel in (
        within,
        environment,
        *(getattr(plan_sums, name) for name in SUMS),
        plan_attention.attention_sum,
        plan_attention.local_frames,
        concatenation,
        moment_product,
        scaled_sum,
        scaled,
        fitting_net,
        pair_table,
        zbl,
        soft_minimum,
        blend,
    )
}
