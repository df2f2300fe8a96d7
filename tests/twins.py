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


def moment_product(moments, axis):
    """T^T T[:, :axis] of each atom, [n, M, axis]."""
    return np.einsum("nwm,nwk->nmk", moments, moments[:, :, :axis])


def moment_product_grad(moments, upper):
    """Derivative of sum(upper * product) in the moments."""
    axis = upper.shape[2]
    grad = np.einsum("nmk,nwk->nwm", upper, moments[:, :, :axis])
    grad[:, :, :axis] += np.einsum("nmk,nwm->nwk", upper, moments)
    return grad


def ewald(coord, charge, cell, beta, spacing):
    """Energy, force, virial, potential and virial of each site of charges in a cell.

    All waves at once, as the sum is written.
    """
    beta, spacing = (float(np.float32(x)) for x in (beta, spacing))
    half = [-(-int(np.ceil(length / spacing)) // 2) for length in np.linalg.norm(cell, axis=1)]
    k = np.array(list(itertools.product(*(range(-n, n + 1) for n in half))))
    m = k[k.any(axis=1)] @ np.linalg.inv(cell).T
    square = np.sum(m**2, axis=1)
    decay = np.pi**2 * square / beta**2
    weight = 14.39964535475696995 / (2 * np.pi * abs(np.linalg.det(cell)))
    weight = weight * np.exp(-decay) / square
    phase = np.exp(2j * np.pi * coord @ m.T)  # [N, M]
    factor = charge @ phase
    energy = weight @ np.abs(factor) ** 2
    tensor = np.eye(3) - (2 * (1 + decay) / square)[:, None, None] * m[:, :, None] * m[:, None]
    along = 2 * weight * np.conj(factor) * phase
    potential = along.real.sum(axis=1)
    force = charge[:, None] * 2 * np.pi * (along.imag @ m)
    of_site = charge[:, None] / 2 * (along.real @ tensor.reshape(-1, 9))
    virial = (weight * np.abs(factor) ** 2) @ tensor.reshape(-1, 9)
    return energy, force, virial, potential, of_site


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
