"""A model file evaluated by its plan: NumPy and the twins, no TensorFlow and no compiled ops.

Each kernel is a function of a stage and the value that it takes. It returns the value that it gives
and a function that turns the gradient of the energy in that into the gradient in what it took.
"""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import twins

from deeptf.exchange.model_file import read_model


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def _gelu(cubic):
    def inner(x):
        return np.sqrt(2 / np.pi) * (x + cubic * x**3)

    def slope(x):
        t = np.tanh(inner(x))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * np.sqrt(2 / np.pi) * (1 + 3 * cubic * x * x)

    return lambda x: 0.5 * x * (1 + np.tanh(inner(x))), slope


ACTIVATIONS = {  # value and derivative
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "gelu": _gelu(0.044715),
    "gelu_tf": _gelu(float(np.float32(0.044715))),
    "softplus": (lambda x: np.logaddexp(0, x), _sigmoid),
    "sigmoid": (_sigmoid, lambda x: _sigmoid(x) * _sigmoid(-x)),
    "silu": (lambda x: x * _sigmoid(x), lambda x: _sigmoid(x) * (1 + x * _sigmoid(-x))),
    "relu": (lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
    "relu6": (lambda x: np.clip(x, 0, 6), lambda x: ((x > 0) & (x < 6)) * 1.0),
    "linear": (lambda x: x, np.ones_like),
    "none": (lambda x: x, np.ones_like),
}


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
        order = twins.sort_pairs(*pairs, atom_type, len(metadata["type_map"]))
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


def embedding_sum(plan, stage, rows):
    return _sum(plan, stage, rows, _tables(plan, stage))


def _tables(plan, stage):
    """Return a function that gives value and slope of the curve k at x."""
    nodes, node_row, grid = (plan.constant(stage[name]) for name in ("nodes", "node_row", "grid"))
    segments = stage["segments"]

    def net(k, x):
        part = slice(k * segments, (k + 1) * segments + 1)
        table = nodes[:, :, : stage["width"]]
        return twins.curve(table, node_row[part], grid[part][:segments], x)

    return net


def triple_sum(plan, stage, rows):
    table = _tables(plan, stage)

    def net(block, product):
        if not stage["bent"]:
            return table(block, product)
        value, slope = table(block, np.arcsinh(product))
        return value, slope / np.sqrt(1 + product[:, None] ** 2)

    return _over_triples(plan, stage["width"], rows, net)


def triple_network_sum(plan, stage, rows):
    networks, shares = _networks(plan, stage), plan.constant(stage["shares"])

    def net(block, x):
        value, slope = networks(block, x)
        return shares[block] * x[:, None] * value, shares[block] * (value + x[:, None] * slope)

    width = plan.constant(stage["nets"][0][-1]["bias"]).size
    return _over_triples(plan, width, rows, net)


def _over_triples(plan, width, rows, net):
    """Sum over triples; net : gives value and slope of a block at products [n]."""
    types = plan.atom_type[plan.neighbor]
    blocks = list(itertools.combinations_with_replacement(range(plan.neighbor_count.shape[1]), 2))
    total, parts = np.zeros((len(plan.order), width)), []
    place = plan.place[plan.centre]
    for atom in range(len(plan.order)):
        own = np.flatnonzero(place == atom)
        for j, k in itertools.combinations_with_replacement(own, 2):
            pair = sorted(types[[j, k]])
            block = blocks.index(tuple(pair)) if j != k else len(blocks) + types[j]
            value, slope = net(block, np.array([rows[j, 1:] @ rows[k, 1:]]))
            total[atom] += value[0]
            parts.append((atom, j, k, slope[0]))

    def pull(upper):
        gradient = np.zeros_like(rows)
        for atom, j, k, slope in parts:
            gradient[j, 1:] += upper[atom] @ slope * rows[k, 1:]
            gradient[k, 1:] += upper[atom] @ slope * rows[j, 1:]
        return gradient

    return total, pull


def local_frames(plan, stage, displacement):
    """Which neighbours are chosen does not change; the gradient is that of their rows."""
    squared = np.sum(displacement**2, axis=1)
    near = np.flatnonzero(squared < stage["rcut"] ** 2)
    near = near[np.argsort(squared[near], kind="stable")]
    mean, stddev = (plan.constant(stage[name]) for name in ("mean", "stddev"))
    chosen = []
    for atom in range(len(plan.order)):
        own = near[plan.place[plan.centre[near]] == atom]
        chosen.append(_chosen(stage, own, plan, squared, plan.atom_type[plan.order[atom]]))

    def row(places, type_of_centre, around):
        u, w = around[-2:]
        first = u / np.sqrt(u @ u)
        across = w - (w @ first) * first
        second = across / np.sqrt(across @ across)
        axes = np.cross(first, second), first, second
        found, angular = [], sum(stage["sel_a"])
        for number, (place, vector) in enumerate(zip(places, around[:-2], strict=True)):
            length = np.sqrt(vector @ vector) if place >= 0 else np.inf
            found.append(1 / length)
            if number < angular:
                found += [vector @ axis / length**2 for axis in axes]
        return (np.array(found) - mean[type_of_centre]) / stddev[type_of_centre]

    def around(pairs):
        return np.where(pairs[:, None] >= 0, displacement[pairs], 0)

    types = plan.atom_type[plan.order]
    total = np.stack([row(c[:-2], t, around(c)) for c, t in zip(chosen, types, strict=True)])

    def pull(upper):
        gradient = np.zeros_like(displacement)
        for pairs, t, above in zip(chosen, types, upper, strict=True):
            steps = _complex_steps(
                lambda d, p=pairs, t=t: row(p[:-2], t, d), (around(pairs),), above
            )
            np.add.at(gradient, pairs[pairs >= 0], steps[0][pairs >= 0])
        return gradient

    return total, pull


def _chosen(stage, own, plan, squared, type_of_centre):
    """Return the pairs of the places of a centre and of both axes, -1 for none; own : by length."""
    of_type = [own[plan.atom_type[plan.neighbor[own]] == t] for t in range(len(stage["sel_a"]))]
    places = []
    for first, number in (([0] * len(of_type), stage["sel_a"]), (stage["sel_a"], stage["sel_r"])):
        for pairs, begin, n in zip(of_type, first, number, strict=True):
            found = pairs[begin : begin + n].tolist()
            places += found + [-1] * (n - len(found))
    axes = []
    for axis in stage["rules"][type_of_centre]:
        candidates = [places[k] for k in axis["places"] if places[k] >= 0]
        candidates.sort(key=lambda pair: squared[pair])
        axes.append(candidates[axis["rank"] :])
    u, w = (plan.displacement[pairs[0]] for pairs in axes)
    opposite = u @ w / np.sqrt((u @ u) * (w @ w)) < 1e-4 - 1
    return np.array([*places, axes[0][0], axes[1][int(opposite)]])


def concatenation(plan, stage, parts):
    ends = np.cumsum([part.shape[1] for part in parts])[:-1]
    return np.concatenate(parts, axis=1), lambda upper: np.split(upper, ends, axis=1)


def network_sum(plan, stage, rows):
    return _sum(plan, stage, rows, _networks(plan, stage))


def _networks(plan, stage):
    """Return a function that gives value and slope of the net k at x."""
    biases = stage.get("first_bias")

    def net(k, x):
        x, slope = x[:, None], np.ones((len(x), 1))
        for number, layer in enumerate(stage["nets"][k if biases is None else 0]):
            first = None
            if number == 0 and biases is not None:
                first = plan.constant(biases)[k]
            y, pull = _layer(plan, stage["activation"], layer, x, first)
            matrix, idt = plan.constant(layer["matrix"]), _idt(plan, layer)
            tangent = (slope @ matrix) * pull * idt
            times = y.shape[1] / x.shape[1]
            if times in (1, 2):
                y, tangent = (
                    np.tile(old, int(times)) + new for old, new in ((x, y), (slope, tangent))
                )
            x, slope = y, tangent
        return x, slope

    return net


def pair_network(plan, stage, rows):
    net, curve = _networks(plan, stage), plan.constant(stage["curve"])
    types = plan.atom_type[plan.neighbor], plan.atom_type[plan.centre]
    values = slopes = None
    for k in range(curve.max() + 1):
        of_curve = np.flatnonzero(curve[types] == k)
        value, slope = _gated(plan, stage, rows, of_curve, *net(k, rows[of_curve, 0]))
        if values is None:
            values, slopes = np.zeros((2, len(rows), value.shape[1]))
        values[of_curve], slopes[of_curve] = value, slope

    def pull(upper):
        gradient = np.zeros_like(rows)
        gradient[:, 0] = np.sum(upper * slopes, axis=1)
        return gradient

    return values, pull


def attention_sum(plan, stage, taken):
    values, rows = taken
    curve = plan.constant(stage["curve"])
    counts = curve[plan.atom_type[plan.neighbor], plan.atom_type[plan.centre]] >= 0
    place = plan.place[plan.centre]
    around = [np.flatnonzero(counts & (place == atom)) for atom in range(len(plan.order))]
    shares, share_slopes = _shares(plan, stage, rows)

    def sums(values, rows, shares):
        for layer in stage["layers"]:
            values = _attention_layer(plan, stage, layer, values, rows[:, 1:], shares)
        return rows.T @ values

    def pull(upper):
        of_values, of_rows = np.zeros_like(values), np.zeros_like(rows)
        for own, above in zip(around, upper, strict=True):
            given = values[own], rows[own], shares[own]
            of_value, of_row, of_share = _complex_steps(sums, given, above)
            of_row[:, 0] += of_share * share_slopes[own]
            of_values[own], of_rows[own] = of_value, of_row
        return of_values, of_rows

    return np.stack([sums(values[own], rows[own], shares[own]) for own in around]), pull


def _attention_layer(plan, stage, layer, values, directions, shares):
    def linear(name, x):
        return x @ plan.constant(layer[name]["matrix"]) + plan.constant(layer[name]["bias"])

    attended = np.stack([linear(name, values) for name in ("query", "key", "value")], axis=1)
    form = {name: stage[name] for name in ("places", "dotr", "diagonal")}
    form = SimpleNamespace(smooth=stage["share"] is not None, **form)
    found = twins.attention([len(values)], attended, directions, shares, form)
    rows = twins.row_norm(values + linear("output", found), stage["epsilon"])
    return rows * plan.constant(layer["scale"]) + plan.constant(layer["shift"])


def _complex_steps(function, given, upper, step=1e-30):
    """Return the gradient of sum(upper function(*given)) in what is given, at full precision."""
    gradients = []
    for number, array in enumerate(given):
        gradient = np.zeros_like(array)
        for place in np.ndindex(*array.shape):
            moved = [one.astype(complex) for one in given]
            moved[number][place] += 1j * step
            gradient[place] = np.sum(upper * function(*moved).imag) / step
        gradients.append(gradient)
    return gradients


def gated_sum(plan, stage, rows):
    return embedding_sum(plan, stage, rows)


def gated_network_sum(plan, stage, rows):
    return network_sum(plan, stage, rows)


def _sum(plan, stage, rows, net):
    """Sum over neighbours; net : gives value and slope of the net k at x."""
    curve, sel, empty = (plan.constant(stage[name]) for name in ("curve", "sel", "empty"))
    place = plan.place[plan.centre]
    block = curve[plan.atom_type[plan.neighbor], plan.atom_type[plan.centre]]  # [P]
    columns = stage["columns"]
    weight = rows if columns == 4 else np.ones_like(rows)
    parts, total = [], None
    for k in range(curve.max() + 1):
        of_curve = np.flatnonzero(block == k)
        value, slope = net(k, rows[of_curve, 0])
        value, slope = _gated(plan, stage, rows, of_curve, value, slope)
        if total is None:
            total = np.zeros((len(plan.order), columns, value.shape[1]))
        np.add.at(total, place[of_curve], weight[of_curve][:, :, None] * value[:, None, :])
        types = plan.atom_type[plan.order]
        for t in range(len(sel)):
            alone = net(k, empty[t])[0]  # [T, M]
            here = curve[t, types] == k
            missing = (sel[t] - plan.neighbor_count[:, t]) * here
            missing = missing * (empty[t, types] if columns == 4 else 1)
            total[:, 0] += missing[:, None] * alone[types]
        parts.append((of_curve, value, slope))

    def pull(upper):
        gradient = np.zeros_like(rows)
        for of_curve, value, slope in parts:
            above = upper[place[of_curve]]
            if columns == 4:
                gradient[of_curve] += np.einsum("pwm,pm->pw", above, value)
            gradient[of_curve, 0] += np.einsum("pw,pwm,pm->p", weight[of_curve], above, slope)
        return gradient

    return total, pull


def _gated(plan, stage, rows, pairs, value, slope):
    """Return values and slopes of the nets of some pairs, with their gates where there are any."""
    if stage.get("gate") is None:
        return value, slope
    gate = plan.constant(stage["gate"])
    gate = gate[plan.atom_type[plan.neighbor[pairs]], plan.atom_type[plan.centre[pairs]]]
    share, share_slope = (one[pairs, None] for one in _shares(plan, stage, rows))
    factor = 1 + share * gate
    return value * factor, slope * factor + share_slope * gate * value


def _shares(plan, stage, rows):
    """Return the shares of pairs, and their slopes in the first column of the rows."""
    share = stage.get("share")
    if share is None:
        return np.ones(len(rows)), np.zeros(len(rows))
    types = plan.atom_type[plan.centre]
    mean, stddev = (plan.constant(share[name])[types, 0] for name in ("mean", "stddev"))
    left = np.maximum(1 - share["rcut_smth"] * (rows[:, 0] * stddev + mean), 0)
    return 1 - left**3, 3 * left**2 * share["rcut_smth"] * stddev


def empty_places(plan, stage, sums):
    types = plan.atom_type[plan.order]
    places, counted, value = (plan.constant(stage[k]) for k in ("places", "counted", "value"))
    absent = places[types] - np.sum(plan.neighbor_count * counted.T[types], axis=1)
    total = sums.copy()
    total[:, 0] += absent[:, None] * value[types]
    return total, lambda upper: upper


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
        y, pull = _layer(plan, activation, layer, x)
        keeps = 0 < number < len(net) - 1 and y.shape[1] == x.shape[1]
        pulls.append((pull * _idt(plan, layer), plan.constant(layer["matrix"]), keeps))
        x = x + y if keeps else y
    slope = np.ones_like(x)
    for pull, matrix, keeps in reversed(pulls):
        slope = (slope * pull) @ matrix.T + (slope if keeps else 0)
    return x[:, 0], slope


def _layer(plan, activation, layer, x, bias=None):
    """Return act(x W + b) * idt, and the derivative of act; b is another one where it is given."""
    act, slope = ACTIVATIONS[activation]
    bias = plan.constant(layer["bias"]) if bias is None else bias
    before = x @ plan.constant(layer["matrix"]) + bias
    return act(before) * _idt(plan, layer), slope(before)


def _idt(plan, layer):
    return 1.0 if layer["idt"] is None else plan.constant(layer["idt"])


KERNELS = {
    kernel.__name__: kernel
    for kernel in (
        within,
        environment,
        embedding_sum,
        triple_sum,
        triple_network_sum,
        local_frames,
        concatenation,
        network_sum,
        gated_sum,
        gated_network_sum,
        pair_network,
        attention_sum,
        empty_places,
        moment_product,
        scaled_sum,
        fitting_net,
    )
}
