"""Labels of dipoles and polarizabilities of the frames in data/, by a model of charges and induced
dipoles: `python tensors.py`.

Each atom has a charge q and a polarizability alpha. With the field E of the charges of other
molecules and the tensor T between two dipoles, both damped at short distances (Thole, Chem. Phys.
59, 341, 1981; here by exponentials) and switched off smoothly between 3.5 and 5.5 A,

    mu_i = alpha_i (E_i + sum_j T_ij mu_j)

over atoms j of the own molecule too. The dipole of a molecule is sum q_i (r_i - r_O) + mu_i in e A,
the label of its oxygen; the polarizability of a frame is that of all atoms in a homogeneous field,
the sum of the 3 x 3 blocks of (alpha^-1 - T)^-1, in A^3.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list

DATA = Path(__file__).resolve().parent / "data"
CHARGE = np.array([-0.66, 0.33])  # e, of O and H
ALPHA = np.array([0.85, 0.41])  # A^3
DAMPING = 2.13
SWITCH = 3.5, 5.5  # A


def damped(distance: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors of the fields of charges and of dipoles."""
    v = DAMPING * distance / alpha ** (1 / 6)
    decay = np.exp(-v)
    of_charge = 1 - (v**2 / 2 + v + 1) * decay
    u = np.clip((distance - SWITCH[0]) / (SWITCH[1] - SWITCH[0]), 0, 1)
    switch = u**3 * (-6 * u**2 + 15 * u - 10) + 1
    return switch * of_charge, switch * (of_charge - v**3 / 6 * decay)


def tensors(coord: np.ndarray, cell: np.ndarray, types: np.ndarray) -> dict[str, np.ndarray]:
    """Return dipoles of molecules and of the frame, and its polarizability, from [N, 3] A.

    Atoms come molecule by molecule, the oxygen first.
    """
    number = len(types)
    atoms = Atoms(np.where(types == 0, "O", "H"), coord, cell=cell, pbc=True)
    i, j, vector, distance = neighbor_list("ijDd", atoms, SWITCH[1])
    of_charge, of_dipole = damped(distance, ALPHA[types[i]] * ALPHA[types[j]])
    own = (i // 3 == j // 3) & (distance < np.cbrt(np.linalg.det(cell)) / 2)
    pull = np.where(own, 0.0, -CHARGE[types[j]] * of_charge / distance**3)
    field = np.zeros((number, 3))
    np.add.at(field, i, pull[:, None] * vector)
    outer = 3 * vector[:, :, None] * vector[:, None] * (of_dipole / distance**5)[:, None, None]
    between = outer - np.eye(3) * (of_charge / distance**3)[:, None, None]
    matrix = np.zeros((number, number, 3, 3))
    np.add.at(matrix, (i, j), -between)
    matrix[range(number), range(number)] += np.eye(3) / ALPHA[types][:, None, None]
    response = np.linalg.inv(matrix.transpose(0, 2, 1, 3).reshape(3 * number, -1))
    induced = (response @ field.ravel()).reshape(-1, 3, 3).sum(axis=1)
    bonds = atoms.get_distances
    vectors = [
        bonds(3 * m, [3 * m + 1, 3 * m + 2], mic=True, vector=True) for m in range(number // 3)
    ]
    molecules = CHARGE[1] * np.sum(vectors, axis=1) + induced
    polar = response.reshape(number, 3, number, 3).sum(axis=(0, 2))
    return {
        "atomic_dipole": molecules.ravel(),
        "dipole": molecules.sum(axis=0),
        "polarizability": polar.ravel(),
    }


def main() -> None:
    """Write the labels of all frames, and print what a molecule has."""
    for folder in sorted(DATA.iterdir()):
        types = np.loadtxt(folder / "type.raw", dtype=int)
        data = folder / "set.000"
        coord, box = (np.load(data / f"{name}.npy").astype(float) for name in ("coord", "box"))
        frames = zip(coord.reshape(len(box), -1, 3), box.reshape(-1, 3, 3), strict=True)
        found = [tensors(*frame, types) for frame in frames]
        for name in found[0]:
            np.save(data / f"{name}.npy", np.array([one[name] for one in found], np.float32))
        dipole = np.linalg.norm([one["atomic_dipole"].reshape(-1, 3) for one in found], axis=-1)
        polar = np.mean([one["polarizability"][::4].mean() for one in found]) / (len(types) / 3)
        print(
            f"{folder.name}: {len(found)} frames, a molecule has {dipole.mean():.3f} +- "
            f"{dipole.std():.3f} e A and {polar:.3f} A^3"
        )


if __name__ == "__main__":
    main()
