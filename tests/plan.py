"""A model file evaluated by its plan: NumPy and the twins, no TensorFlow and no compiled ops.

Each kernel is a function of a stage and the value that it takes. It returns the value that it gives
and a function that turns the gradient of the energy in that into the gradient in what it took.
"""

from __future__ import annotations

import itertools

import numpy as np
import plan_attention
import plan_sums
import plan_tensors
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

    def __call__(self, coord, cell, atom_type, frame_row, fparam=None, aparam=None, weight=None):
        """Return energy, force, virial and atom_energy of frames.

        weight : [N, k] of a model of another property, whose sum with these is the energy; then its
            values are there too.
        """
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
        self.coord, self.cell, self.frame_row = coord, cell, frame_row
        self.force, self.virial = np.zeros_like(coord), np.zeros((len(cell), 9))  # of charges
        self.cut_off = {}  # of names of pairs
        one = np.ones(len(atom_type)) if weight is None else weight
        value, gradient = np.zeros_like(one), np.zeros_like(displacement)
        for term in metadata["plan"]:
            of_atom, of_pair = self._term(term, one[self.order])
            value[self.order] += of_atom
            gradient += of_pair
        energy = value if weight is None else (value * weight).sum(axis=1)
        shift = self._shift_of_spins()
        rigid = displacement - shift[neighbor] + shift[self.centre]
        geometry = gradient, rigid, self.centre, neighbor, len(atom_type)
        force, virial = twins.force_virial(*geometry, frame_row)
        force = self._force_of_spins(force)
        of_frame = np.add.reduceat(energy, frame_row[:-1])
        force, virial = force + self.force, virial + self.virial
        found = {"energy": of_frame, "force": force, "virial": virial, "atom_energy": energy}
        return found if weight is None else found | {"atom_value": value}

    def _shift_of_spins(self):
        """Return the vectors to virtual atoms from their real ones, 0 of real ones, [N, 3]."""
        shift = np.zeros_like(self.coord)
        for real, virtual, _ in self._spins():
            cell = self.cell[np.searchsorted(self.frame_row, real, side="right") - 1]
            away = self.coord[virtual] - self.coord[real]
            images = np.round(away @ np.linalg.inv(cell)) @ cell if cell.any() else 0
            shift[virtual] = away - images
        return shift

    def _force_of_spins(self, force):
        """Return forces on atoms, and of virtual ones on spins."""
        for real, virtual, factor in self._spins():
            force[real] += force[virtual]
            force[virtual] *= factor
        return force

    def _spins(self):
        """Yield a real atom, its virtual one and virtual_len / spin_norm."""
        spin = self.model.metadata["spin"] or {"virtual_len": (), "spin_norm": ()}
        first = self.num_types - len(spin["virtual_len"])
        for k, lengths in enumerate(zip(spin["virtual_len"], spin["spin_norm"], strict=True)):
            for begin, end in itertools.pairwise(self.frame_row):
                of = [np.flatnonzero(self.atom_type[begin:end] == t) for t in (k, first + k)]
                for real, virtual in zip(*of, strict=True):
                    yield begin + real, begin + virtual, lengths[0] / lengths[1]

    def of_pairs(self, function):
        """Return half the sums of a function of pairs for each centre, and how a gradient pulls."""
        value, gradient = twins.pair_energies(function, self.sorted, self.atom_type)
        return value, lambda upper: upper[self.place[self.centre], None] * gradient

    def _term(self, term, weight):
        """Return the property of the atoms in order, and the gradient of the sum with weights."""
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
        (own,) = (value for name, value in term["values"].items() if name.startswith("atom_"))
        gradients = {own: weight}
        for taken, given, pull in reversed(back):
            for name, part in zip(taken, pull(gradients.pop(given)), strict=True):
                gradients[name] = gradients.get(name, 0) + part
        return values[own], gradients["pairs"]


def environment(plan, stage, displacement):
    where = plan.centre, plan.atom_type
    mean, stddev = (plan.constant(stage[name]) for name in ("mean", "stddev"))
    lengths = stage["rcut_smth"], stage["rcut"]
    rows = twins.environment(displacement, *where, mean, stddev, *lengths)
    return rows, lambda upper: twins.environment_grad(upper, displacement, *where, stddev, *lengths)


def within(plan, stage, pairs):
    """Leave all pairs: those beyond the cut-off of a part equal empty places in descriptors."""
    plan.cut_off[stage["gives"]] = stage["rcut"]
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


def conditions(plan, stage, types):
    """Return what nets take behind the descriptors, [N, n]."""
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
    return np.concatenate(condition, axis=1)


def fitting_net(plan, stage, descriptor):
    types = plan.atom_type[plan.order]
    condition = conditions(plan, stage, types)
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


def dipole_charge(plan, stage, shift):
    """Sum the charges of each frame, all together; forces on atoms go to the plan."""
    energy, on_centre = np.zeros(len(shift)), np.zeros_like(shift)
    types = plan.atom_type[plan.order]
    for frame in range(len(plan.cell)):
        atoms = np.flatnonzero(plan.frame == frame)
        centres = [k for k in atoms if stage["centre"][types[k]] is not None]
        where = plan.coord[plan.order]
        sites = np.concatenate([where[atoms], where[centres] + shift[centres]])
        charge = [stage["charge"][t] for t in types[atoms]]
        charge = np.array(charge + [stage["centre"][t] for t in types[centres]])
        _, force, virial, potential, _ = twins.ewald(
            sites, charge, plan.cell[frame], stage["beta"], stage["spacing"]
        )
        owner = np.concatenate([atoms, centres]).astype(int)
        np.add.at(energy, owner, charge * potential / 2)
        np.add.at(plan.force, plan.order[owner], force)
        on_centre[centres] = force[len(atoms) :]
        plan.virial[frame] += virial - (on_centre[centres].T @ shift[centres]).ravel()
    return energy, lambda upper: -on_centre


def _net(plan, stage, net, x):
    """Return the number of each row of x and its slope."""
    value, slope = net_value(plan, stage, net, x)
    return value[:, 0], slope[:, 0]


def net_value(plan, stage, net, x):
    """Return the numbers [n, k] of each row of x, and their slopes [n, k, width]."""
    pulls = []
    for number, layer in enumerate(net):
        activation = stage["activation"] if layer is not net[-1] else "linear"
        y, pull = layer_value(plan, activation, layer, x)
        keeps = 0 < number < len(net) - 1 and y.shape[1] == x.shape[1]
        pulls.append((pull * step_of(plan, layer), plan.constant(layer["matrix"]), keeps))
        x = x + y if keeps else y
    slope = np.tile(np.eye(x.shape[1]), (len(x), 1, 1))
    for pull, matrix, keeps in reversed(pulls):
        slope = (slope * np.reshape(pull, (len(x), 1, -1))) @ matrix.T + (slope if keeps else 0)
    return x, slope


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
    rcut = plan.cut_off.get(stage["takes"], np.inf)
    near = np.linalg.norm(displacement, axis=1) < rcut
    pairs = [*plan.sorted]
    pairs[4], pairs[6] = plan.centre[near], displacement[near]
    value, of_near = twins.soft_minimum(pairs, len(plan.atom_type), *lengths)
    gradient = np.zeros_like(displacement)
    gradient[near] = of_near
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
        dipole_charge,
        plan_tensors.property_net,
        plan_tensors.axes,
        plan_tensors.axis_vector,
        plan_tensors.axis_tensor,
        pair_table,
        zbl,
        soft_minimum,
        blend,
    )
}
