"""Slow NumPy twins of the ops: the definition of each, written as plainly as possible."""

from __future__ import annotations

import itertools

import numpy as np

from deeptf.model.switch import switch_over_distance


def neighbor_pairs(coord, cell, atom_type, frame_row, rcut):
    """All pairs by looking at every atom in every image that could matter."""
    row, neighbor, displacement = [0], [], []
    for frame, (first, last) in enumerate(itertools.pairwise(frame_row)):
        atoms = [i for i in range(first, last) if atom_type[i] >= 0]
        images = _images(coord[atoms], cell[frame], rcut)
        shift = images @ cell[frame]
        for i in range(first, last):
            found = []
            for j in atoms if atom_type[i] >= 0 else []:
                d = coord[j] - coord[i] + shift
                near = np.linalg.norm(d, axis=1) < rcut
                if i == j:
                    near &= images.any(axis=1)
                for image, x in zip(images[near], d[near], strict=True):
                    found.append((atom_type[j], j, tuple(image), x))
            for _, j, _, x in sorted(found, key=lambda pair: pair[:3]):
                neighbor.append(j)
                displacement.append(x)
            row.append(len(neighbor))
    return (
        np.array(row, np.int32),
        np.array(neighbor, np.int32),
        np.array(displacement).reshape(-1, 3),
    )


def _images(coord, cell, rcut):
    if not cell.any() or len(coord) == 0:
        return np.zeros((1, 3), int)
    inverse = np.linalg.inv(cell)
    fraction = coord @ inverse
    spread = fraction.max(0) - fraction.min(0)
    reach = np.ceil(rcut * np.linalg.norm(inverse, axis=0) + spread).astype(int)
    return np.array(list(itertools.product(*(range(-n, n + 1) for n in reach))))


def sort_pairs(row, neighbor, displacement, atom_type, num_types, num_owned=None):
    """Sort with the stable sort of Python."""
    centres = len(row) - 1 if num_owned is None else num_owned
    order = sorted((i for i in range(centres) if atom_type[i] >= 0), key=lambda i: atom_type[i])
    place = {atom: k for k, atom in enumerate(order)}
    pairs = [
        (atom_type[neighbor[p]], atom_type[i], place[i], p, i)
        for i in order
        for p in range(row[i], row[i + 1])
        if atom_type[neighbor[p]] >= 0
    ]
    pairs.sort()
    neighbor_count = np.zeros((len(order), num_types), np.int32)
    pair_count = np.zeros((num_types, num_types), np.int32)
    for neighbor_type, centre_type, at, _, _ in pairs:
        neighbor_count[at, neighbor_type] += 1
        pair_count[neighbor_type, centre_type] += 1
    index = [pair[3] for pair in pairs]
    keys = [(neighbor_type, at) for neighbor_type, _, at, _, _ in pairs]
    first_pair = [
        [sum(key < (t, at) for key in keys) for t in range(num_types)] for at in range(len(order))
    ]
    reverse = [[k for k, p in enumerate(index) if neighbor[p] == j] for j in range(len(atom_type))]
    return (
        np.array(order, np.int32),
        np.bincount([atom_type[i] for i in order], minlength=num_types).astype(np.int32),
        neighbor_count,
        pair_count,
        np.array([pair[4] for pair in pairs], np.int32),
        neighbor[index],
        displacement[index],
        np.array(first_pair, np.int32).reshape(len(order), num_types),
        np.cumsum([0, *map(len, reverse)]).astype(np.int32),
        np.array([k for found in reverse for k in found], np.int32),
    )


def environment(displacement, centre, atom_type, mean, stddev, rcut_smth, rcut):
    """Rows (s, s x/r, s y/r, s z/r) or s alone, as mean has columns, normalised."""
    r = np.linalg.norm(displacement, axis=1)
    s = switch_over_distance(r, rcut_smth, rcut)
    rows = np.concatenate([s[:, None], s[:, None] * displacement / r[:, None]], 1)
    rows = rows[:, : mean.shape[1]]
    return (rows - mean[atom_type[centre]]) / stddev[atom_type[centre]]


def neighbor_sum(count, weight, value):
    """Sum of outer products over the pairs of each atom."""
    ends = np.cumsum(count)
    return np.array(
        [weight[e - n : e].T @ value[e - n : e] for n, e in zip(count, ends, strict=True)]
    ).reshape(len(count), weight.shape[1], value.shape[1])


def triple_products(a, b, neighbor_count):
    """(a_j . b_k + a_k . b_j) / 2 of two neighbours of an atom, and the number of each block.

    Blocks are pairs of types, in each the atoms; then come the neighbours with themselves.
    """
    count = np.asarray(neighbor_count)
    atoms, types = count.shape
    end = np.cumsum(count.T).reshape(types, atoms).T
    runs = [
        [range(end[atom, t] - count[atom, t], end[atom, t]) for t in range(types)]
        for atom in range(atoms)
    ]
    blocks = [
        [[(j, k) for j in run[s] for k in run[t] if s < t or j < k] for run in runs]
        for s, t in itertools.combinations_with_replacement(range(types), 2)
    ]
    blocks += [[[(j, j) for j in run[t]] for run in runs] for t in range(types)]
    places = [pair for block in blocks for part in block for pair in part]
    product = [(a[j, 1:] @ b[k, 1:] + a[k, 1:] @ b[j, 1:]) / 2 for j, k in places]
    number = [[len(part) for part in block] for block in blocks]
    return np.array(product), np.array(number, np.int32).reshape(len(blocks), atoms).T


def force_virial(pair_gradient, displacement, centre, neighbor, num_all, frame_row):
    """Scatter of the pair gradient, and -sum g (x) r per frame."""
    force = np.zeros((num_all, 3))
    virial = np.zeros((len(frame_row) - 1, 3, 3))
    for g, r, i, j in zip(pair_gradient, displacement, centre, neighbor, strict=True):
        force[i] += g
        force[j] -= g
        virial[np.searchsorted(frame_row, i, side="right") - 1] -= np.outer(g, r)
    return force, virial.reshape(-1, 9)


def atom_virial(pair_gradient, displacement, neighbor, num_all):
    """-g (x) r, booked on the neighbour."""
    virial = np.zeros((num_all, 3, 3))
    for g, r, j in zip(pair_gradient, displacement, neighbor, strict=True):
        virial[j] -= np.outer(g, r)
    return virial.reshape(-1, 9)


def difference(function, x, step=1e-6):
    """Central differences of a scalar function of an array."""
    out = np.zeros_like(x)
    for k in range(x.size):
        upper, lower = x.copy(), x.copy()
        upper.flat[k] += step
        lower.flat[k] -= step
        out.flat[k] = (function(upper) - function(lower)) / (2 * step)
    return out


def hermite(nodes, start, step, x):
    """Return value and derivative of the cubic Hermite interpolant at x [p], each [p, M].

    nodes [K, 2, M] are values and slopes times step; straight lines go on beyond the ends.
    """
    at = (x - start) / step
    left = np.clip(np.floor(at), 0, len(nodes) - 2).astype(int)
    u = (at - left)[:, None]
    (v0, d0), (v1, d1) = (np.moveaxis(nodes[left + k], 1, 0) for k in (0, 1))
    cubic = (2 * v0 + d0 - 2 * v1 + d1, -3 * v0 - 2 * d0 + 3 * v1 - d1, d0, v0)
    value = ((cubic[0] * u + cubic[1]) * u + cubic[2]) * u + cubic[3]
    slope = (3 * cubic[0] * u + 2 * cubic[1]) * u + cubic[2]
    value = np.where(u < 0, v0 + u * d0, np.where(u > 1, v1 + (u - 1) * d1, value))
    return value, np.where(u < 0, d0, np.where(u > 1, d1, slope)) / step


def intervals(nodes):
    """Return value, slope, rise and next slope of every interval of nodes [K, 2, M], in float32."""
    (value, slope), (following, next_slope) = nodes[:-1].swapaxes(0, 1), nodes[1:].swapaxes(0, 1)
    parts = (value, slope, following - value, next_slope)
    return np.stack(parts, axis=1).astype(np.float32)


def intervals_grad(upper):
    """Return the derivative of sum(upper * intervals(nodes)) in the nodes, [K, 2, M]."""
    upper = upper.astype(np.float64)
    grad = np.zeros((len(upper) + 1, 2, upper.shape[2]))
    grad[:-1, 0] += upper[:, 0] - upper[:, 2]
    grad[:-1, 1] += upper[:, 1]
    grad[1:] += upper[:, 2:]
    return grad


def embedding_sum(
    rows,
    nodes,
    node_row,
    grid,
    curve,
    sel,
    empty,
    atom_count,
    neighbor_count,
    gate=None,
    share=None,
):
    """Return sum_j R_j (x) G(R_j0), of radial rows sum_j G(R_j), with empty places, [n, W, M];
    nodes [nodes, 2, M] are all of them. With a gate [T, T, M], neighbour type first, G of pair j is
    G (1 + share_j gate), but not that of empty places.
    """
    types = np.repeat(np.arange(len(atom_count)), atom_count)
    radial = rows.shape[1] == 1
    total = np.zeros((len(types), rows.shape[1], nodes.shape[2]))
    pair = 0
    for t in range(len(atom_count)):
        for atom, centre in enumerate(types):
            count = neighbor_count[atom, t]
            here = slice(pair, pair + count)
            row = rows[here]
            pair += count
            k = curve[t, centre]
            if k < 0:
                continue
            table = nodes[node_row[k] : node_row[k + 1]]
            weight = np.ones_like(row) if radial else row
            value = hermite(table, *grid[k], row[:, 0])[0]
            if gate is not None:
                part = np.ones(count) if share is None else share[here]
                value = value * (1 + part[:, None] * gate[t, centre])
            total[atom] += weight.T @ value
            x = empty[t, centre]
            alone = hermite(table, *grid[k], np.array([x]))[0][0]
            total[atom, 0] += (sel[t] - count) * (1.0 if radial else x) * alone
    return total


def needed_nodes(rows, node_row, grid, curve, sel, empty, atom_count, neighbor_count):
    """Say of every node whether the sums over these rows need it, the first two always."""
    types = np.repeat(np.arange(len(atom_count)), atom_count)
    needed = np.zeros(node_row[-1], bool)
    needed[:2] = True
    pair = 0
    for t in range(len(atom_count)):
        for atom, centre in enumerate(types):
            x = list(rows[pair : pair + neighbor_count[atom, t], 0])
            pair += len(x)
            k = curve[t, centre]
            if k < 0:
                continue
            none = sel[t] == len(x) or (rows.shape[1] > 1 and empty[t, centre] == 0)
            x += [] if none else [empty[t, centre]]
            last = node_row[k + 1] - node_row[k] - 2
            for at in (np.array(x) - grid[k, 0]) / grid[k, 1]:
                left = node_row[k] + int(np.clip(np.floor(at), 0, last))
                needed[left : left + 2] = True
    return needed


def outside(rows, end, curve, atom_count, neighbor_count):
    """Count the pairs of each block with R_j0 above the end [C] of their curve; the first of the
    closest of them, -1 without any. Both [T, T], neighbour type first.
    """
    types = np.repeat(np.arange(len(atom_count)), atom_count)
    count, closest = np.zeros(curve.shape, int), np.full(curve.shape, -1)
    pair = 0
    for t in range(len(atom_count)):
        for atom, centre in enumerate(types):
            for _ in range(neighbor_count[atom, t]):
                k, best = curve[t, centre], closest[t, centre]
                if k >= 0 and rows[pair, 0] > end[k]:
                    count[t, centre] += 1
                    if best < 0 or rows[pair, 0] > rows[best, 0]:
                        closest[t, centre] = pair
                pair += 1
    return count, closest


def environment_grad(upper, displacement, centre, atom_type, stddev, rcut_smth, rcut):
    """Derivative of sum(upper * rows) in the displacements, [P, 3]."""
    r = np.linalg.norm(displacement, axis=1)
    u = np.clip((r - rcut_smth) / (rcut - rcut_smth), 0, 1)
    s = switch_over_distance(r, rcut_smth, rcut)
    slope = -30 * u**2 * (u - 1) ** 2 / (rcut - rcut_smth) / r - s / r  # ds/dr
    upper = upper / stddev[atom_type[centre]]
    unit = displacement / r[:, None]
    along = upper[:, 0] * slope
    if upper.shape[1] == 1:
        return along[:, None] * unit
    angular = upper[:, 1:]  # of s unit
    inward = np.sum(angular * unit, axis=1)
    along += inward * (slope - s / r)
    return along[:, None] * unit + (s / r)[:, None] * angular


def curve(nodes, node_row, grid, x):
    """Value and derivative of the segments of one curve at x [p], each [p, M]."""
    value, slope = np.zeros((2, len(x), nodes.shape[2]))
    segment = np.clip(np.searchsorted(grid[:, 0], x, side="right") - 1, 0, len(grid) - 1)
    for q in range(len(grid)):
        here = segment == q
        table = nodes[node_row[q] : node_row[q + 1]]
        value[here], slope[here] = hermite(table, *grid[q], x[here])
    return value, slope


def moment_product(moments, axis):
    """T^T T[:, :axis] of each atom, [n, M, axis]."""
    return np.einsum("nwm,nwk->nmk", moments, moments[:, :, :axis])


def moment_product_grad(moments, upper):
    """Derivative of sum(upper * product) in the moments."""
    axis = upper.shape[2]
    grad = np.einsum("nmk,nwk->nwm", upper, moments[:, :, :axis])
    grad[:, :, :axis] += np.einsum("nmk,nwm->nwk", upper, moments)
    return grad


def unit_rows(x):
    """Rows divided by their lengths, by 1e-6 where they are shorter."""
    return x / np.sqrt(np.maximum(np.sum(x**2, axis=-1, keepdims=True), 1e-12))


def attention(count, attended, direction, gate, form):
    """Write out the equations of op/core/nets/attention.h for each atom, [p, w]."""
    out, first = np.zeros_like(attended[:, 0]), 0
    for n in count:
        here = slice(first, first + n)
        first += n
        query, key, value = np.moveaxis(unit_rows(attended[here]), 1, 0)
        score, p = query @ key.T, gate[here]
        if form.smooth:
            both = np.outer(p, p)
            share = np.exp((score + 20) * both - 20)
            share /= share.sum(1, keepdims=True) + (form.places - n) * np.exp(-20.0)
        else:
            both = p[:, None]
            share = np.exp(score) * p
            share /= np.maximum(share.sum(1, keepdims=True), 1e-300)
        weight = share * both
        if form.dotr:
            unit = unit_rows(direction[here])
            weight *= unit @ unit.T
        if not form.diagonal:
            np.fill_diagonal(weight, 0)
        out[here] = weight @ value
    return out


def row_norm(x, epsilon):
    """Rows without their mean, divided by their standard deviation."""
    x = x - x.mean(1, keepdims=True)
    return x / np.sqrt(np.mean(x**2, axis=1, keepdims=True) + epsilon)


def pair_table(distance, nodes, grid, rcut):
    """u(r) and u'(r) of cubics through nodes [n, 2] with values and slopes times the step."""
    place = (distance - grid[0]) / grid[1]
    if distance >= rcut or place >= len(nodes) - 1:
        return 0.0, 0.0
    k = int(place)
    v, ((a, da), (b, db)) = place - k, nodes[k : k + 2]
    value = (
        a * (1 - v) ** 2 * (1 + 2 * v)
        + b * v**2 * (3 - 2 * v)
        + da * v * (1 - v) ** 2
        - db * v**2 * (1 - v)
    )
    slope = 6 * (b - a) * v * (1 - v) + da * (1 - v) * (1 - 3 * v) + db * v * (3 * v - 2)
    return value, slope / grid[1]


def zbl(distance, first, second, rin, rout):
    """u(r) and u'(r) of the repulsion of nuclei of two atomic numbers."""
    a = 0.46850 / (first**0.23 + second**0.23)
    shares = np.array([0.18175, 0.50986, 0.28022, 0.02817])
    rates = np.array([3.1998, 0.94229, 0.40290, 0.20162]) / a

    def bare(r):
        phi = [np.sum(shares * (-rates) ** k * np.exp(-rates * r)) for k in range(3)]
        q = 14.399645 * first * second
        return (
            q * phi[0] / r,
            q * (phi[1] / r - phi[0] / r**2),
            q * (phi[2] / r - 2 * phi[1] / r**2 + 2 * phi[0] / r**3),
        )

    if distance >= rout:
        return 0.0, 0.0
    t, (e0, e1, e2), (value, slope, _) = rout - rin, bare(rout), bare(distance)
    a, b = (-3 * e1 + t * e2) / t**2, (2 * e1 - t * e2) / t**3
    x = max(distance - rin, 0)
    value += -e0 + t * e1 / 2 - t**2 * e2 / 12 + a / 3 * x**3 + b / 4 * x**4
    return value, slope + a * x**2 + b * x**3


def pair_energies(function, pairs, atom_type):
    """Half the sums of function(r, t_i, t_j) over the pairs of each centre, and their gradient."""
    order, centre, neighbor, displacement = pairs[0], *pairs[4:7]
    energy, gradient = np.zeros(len(atom_type)), np.zeros_like(displacement)
    for p, (i, j, x) in enumerate(zip(centre, neighbor, displacement, strict=True)):
        r = np.linalg.norm(x)
        value, slope = function(r, atom_type[i], atom_type[j])
        energy[i] += value / 2
        gradient[p] = slope / 2 * x / r
    return energy[order], gradient


def soft_minimum(pairs, num_atoms, alpha, rmin, rmax):
    """The switch of each centre by its soft minimum of distances, and its gradient."""
    order, centre, displacement = pairs[0], pairs[4], pairs[6]
    switch, gradient = np.zeros(num_atoms), np.zeros_like(displacement)
    for i in set(centre.tolist()):
        own = np.flatnonzero(centre == i)
        r = np.linalg.norm(displacement[own], axis=1)
        weight = np.exp(-r / alpha)
        soft = np.sum(r * weight) / weight.sum()
        u = np.clip((soft - rmin) / (rmax - rmin), 0, 1)
        switch[i] = u**3 * (-6 * u**2 + 15 * u - 10) + 1
        slope = -30 * u**2 * (1 - u) ** 2 / (rmax - rmin)
        slope = slope * weight / weight.sum() * (1 - (r - soft) / alpha)
        gradient[own] = (slope / r)[:, None] * displacement[own]
    return switch[order], gradient
