"""What an MD engine has of a periodic frame: ghosts, lists and pairs, by trying all images."""

from __future__ import annotations

import itertools

import numpy as np

SHIFTS = sorted(itertools.product(range(-2, 3), repeat=3), key=lambda shift: shift != (0, 0, 0))


def pairs_of(coord, cell, rcut):
    """Return row [N + 1], neighbor [P] and displacement [P, 3] of all pairs closer than rcut."""
    row, neighbor, displacement = [0], [], []
    for centre, at in enumerate(coord):
        for shift in SHIFTS:
            delta = coord + np.array(shift) @ cell - at
            near = np.linalg.norm(delta, axis=1) < rcut
            near[centre] &= any(shift)
            neighbor += np.flatnonzero(near).tolist()
            displacement += delta[near].tolist()
        row.append(len(neighbor))
    return np.array(row, np.int32), np.array(neighbor, np.int32), np.array(displacement)


def list_of(coord, cell, types, rcut, hops=1, skin=0.3):
    """Return what deeptf_neighbor_list takes, and the atom of the frame that each atom is.

    Centres are the atoms of the frame and the ghosts up to hops - 1 cut-offs from them.
    """
    places, owners = [coord], [np.arange(len(coord))]
    ghosts, distance = [], []
    for shift in SHIFTS[1:]:
        for owner, at in enumerate(coord + np.array(shift) @ cell):
            nearest = np.linalg.norm(coord - at, axis=1).min()
            if nearest < hops * rcut + skin:
                ghosts.append((at, owner))
                distance.append(nearest)
    for k in np.argsort(distance, kind="stable"):
        places.append(ghosts[k][0][None])
        owners.append([ghosts[k][1]])
    places, owners = np.concatenate(places), np.concatenate(owners)
    num_centres = len(coord) + int(np.sum(np.array(distance) < (hops - 1) * rcut))
    lists = []
    for centre in range(num_centres):
        near = np.linalg.norm(places - places[centre], axis=1) < rcut + skin
        near[centre] = False
        lists.append(np.flatnonzero(near).astype(np.int32))
    given = {
        "coord": places,
        "type": types[owners].astype(np.int32),
        "lists": lists,
        "num_centres": num_centres,
        "num_owned": len(coord),
    }
    return given, owners
