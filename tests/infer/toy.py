"""A toy potential with the graph contract of a frozen model, in plain TensorFlow, for fast tests.

Energy of a pair at distance r, half of it on each atom, types a and b:
    u(r) = (1 + a)(1 + b) (x^8 - x^4) (1 - r/rcut)^3,  x = 1.4/r
Neighbours come from all pairs with 27 images: for cells wider than rcut and few atoms.
"""

import itertools
import json

import numpy as np

from deeptf.exchange.model_file import FORMAT
from deeptf.tf import tf

OUTPUTS = ("energy", "force", "virial", "atom_energy", "atom_virial", "descriptor")
RCUT = 3.0
SHIFTS = np.array(list(itertools.product((0, 1, -1), repeat=3)), float)  # the first one is zero


def write(path, type_map=("A", "B"), numb_fparam=0, numb_aparam=0, metadata=None):
    """Write the toy as a frozen model and return `path`."""
    described = {
        "format": FORMAT,
        "deeptf_version": "0",
        "type_map": list(type_map),
        "outputs": list(OUTPUTS),
        "rcut": RCUT,
        "hops": 1,
        "doors": ["coordinates", "pairs"],
        "numb_fparam": numb_fparam,
        "numb_aparam": numb_aparam,
        "pair_bytes": 180,
        "atom_bytes": 1000,
        "model": {"descriptor": {"neuron": [4], "axis_neuron": 2}, "fitting_net": {"neuron": [4]}},
        "training_script": None,
        "arrays": [],
    }
    graph = tf.Graph()
    with graph.as_default():
        _build(numb_fparam, numb_aparam)
        tf.constant(json.dumps({**described, **(metadata or {})}), name="deeptf_model")
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def random_frames(num_frames, num_atoms, seed=0, cell=3.6):
    """Return coords [nf, 3N], cells [nf, 9] (triclinic) and types [nf, N]; atoms not too close."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(num_atoms ** (1 / 3)))
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3), axis=-1).reshape(-1, 3)[:num_atoms]
    coords = grid * cell / side + rng.uniform(-0.2, 0.2, (num_frames, num_atoms, 3))
    cells = np.eye(3) * cell + rng.uniform(0, 0.3, (num_frames, 3, 3))
    types = rng.integers(0, 2, (num_frames, num_atoms))
    return coords.reshape(num_frames, -1), cells.reshape(num_frames, 9), types


def _build(numb_fparam, numb_aparam):
    coord = tf.placeholder(tf.float64, [None, 3], "coord")
    cell = tf.placeholder(tf.float64, [None, 3, 3], "cell")
    types = tf.placeholder(tf.int32, [None], "atom_type")
    frame_row = tf.placeholder(tf.int32, [None], "frame_row")
    num_frames = tf.shape(frame_row)[0] - 1
    frame = tf.repeat(tf.range(num_frames), frame_row[1:] - frame_row[:-1])
    row, neighbor, displacement = _neighbors(coord, tf.gather(cell, frame), types, frame)
    row = tf.placeholder_with_default(row, [None], "row")
    neighbor = tf.placeholder_with_default(neighbor, [None], "neighbor")
    displacement = tf.placeholder_with_default(displacement, [None, 3], "displacement")

    num_centres = tf.shape(row)[0] - 1
    centre = tf.repeat(tf.range(num_centres), row[1:] - row[:-1])
    strength = tf.cast(1 + types, tf.float64)
    weight = tf.gather(strength, centre) * tf.gather(strength, neighbor)
    r = tf.norm(displacement, axis=1)
    switch = tf.nn.relu(1 - r / RCUT)
    x = 1.4 / r
    pair_energy = 0.5 * weight * (x**8 - x**4) * switch**3
    atom_energy = tf.math.unsorted_segment_sum(pair_energy, centre, num_centres)
    real = tf.cast(types[:num_centres] >= 0, tf.float64)
    if numb_fparam:
        fparam = tf.placeholder(tf.float64, [None, numb_fparam], "fparam")
        atom_energy += tf.gather(tf.reduce_sum(fparam, axis=1), frame) * real
    if numb_aparam:
        aparam = tf.placeholder(tf.float64, [None, numb_aparam], "aparam")
        atom_energy += tf.reduce_sum(aparam, axis=1) * real

    gradient = tf.gradients(pair_energy, displacement)[0]
    num_all = tf.shape(types)[0]
    virial = -tf.reshape(displacement[:, :, None] * gradient[:, None, :], [-1, 9])
    force = tf.math.unsorted_segment_sum(gradient, centre, num_all)
    force -= tf.math.unsorted_segment_sum(gradient, neighbor, num_all)
    tf.identity(atom_energy, "atom_energy")
    tf.math.unsorted_segment_sum(atom_energy, frame, num_frames, name="energy")
    tf.identity(force, "force")
    tf.math.unsorted_segment_sum(virial, tf.gather(frame, centre), num_frames, name="virial")
    tf.math.unsorted_segment_sum(virial, neighbor, num_all, name="atom_virial")
    columns = tf.stack([switch, switch**2], axis=1)
    tf.math.unsorted_segment_sum(columns, centre, num_centres, name="descriptor")


def _neighbors(coord, cell, types, frame):
    shift = tf.einsum("sa,iab->isb", tf.constant(SHIFTS), cell)  # [N, 27, 3]
    delta = coord[None, :, None, :] - coord[:, None, None, :] + shift[:, None, :, :]
    same = tf.equal(frame[:, None], frame[None, :]) & (types[:, None] >= 0) & (types[None, :] >= 0)
    home = tf.constant(np.arange(27) == 0)[None, None, :]
    itself = tf.eye(tf.shape(coord)[0], dtype=tf.bool)[:, :, None] & home
    periodic = tf.reduce_any(tf.abs(cell) > 0, axis=[1, 2])[:, None, None]
    near = tf.norm(delta, axis=3) < RCUT
    found = tf.cast(tf.where(same[:, :, None] & (home | periodic) & near & ~itself), tf.int32)
    count = tf.math.unsorted_segment_sum(tf.ones_like(found[:, 0]), found[:, 0], tf.shape(coord)[0])
    row = tf.concat([[0], tf.cumsum(count)], axis=0)
    return row, found[:, 1], tf.gather_nd(delta, found)
