"""The two doors of a model: coordinates and cell, or pairs given by an MD engine.

TensorFlow skips what finds the pairs where they are given. The displacement of a pair is the
variable of the energy: forces follow from dE/d(displacement).
"""

from __future__ import annotations

from dataclasses import dataclass

from deeptf.ops.pairs import neighbor_pairs, pairs_of_present
from deeptf.tf import tf


@dataclass(frozen=True)
class Inputs:
    """Placeholders of one graph; F frames, N atoms, N_all atoms with ghosts, P pairs."""

    coord: tf.Tensor  # [N, 3] A
    cell: tf.Tensor  # [F, 3, 3] A, rows are cell vectors; zeros where a frame has no cell
    atom_type: tf.Tensor  # [N_all]
    frame_row: tf.Tensor  # [F + 1] first atom of each frame
    fparam: tf.Tensor | None  # [F, numb_fparam]
    aparam: tf.Tensor | None  # [N, numb_aparam]
    row: tf.Tensor  # [N + 1] first pair of each atom
    neighbor: tf.Tensor  # [P]
    displacement: tf.Tensor  # [P, 3] A
    num_owned: tf.Tensor  # [] centres whose energy counts, the first ones; all unless given

    @property
    def frame_of_atom(self) -> tf.Tensor:
        """Frame index of every centre atom, [N]."""
        return tf.repeat(tf.range(self.num_frames), self.frame_row[1:] - self.frame_row[:-1])

    @property
    def num_frames(self) -> tf.Tensor:
        """Number of frames F."""
        return tf.shape(self.frame_row)[0] - 1

    def owned(self, atom_order: tf.Tensor) -> tf.Tensor:
        """Return 1 for each centre of `atom_order` [n] whose energy counts, else 0, [n] float64."""
        return tf.cast(atom_order < self.num_owned, tf.float64)


def build_inputs(
    rcut: float, numb_fparam: int = 0, numb_aparam: int = 0, masked: bool = False
) -> Inputs:
    """Create the placeholders in the current graph.

    masked : aparam says which atoms are there, see pairs_of_present; rcut does not count.

    Centres from `num_owned` on are there for models in which the energy of a centre depends on
    further atoms than its neighbours; see Needs.hops in term/term.py.
    """
    coord = tf.placeholder(tf.float64, [None, 3], "coord")
    cell = tf.placeholder(tf.float64, [None, 3, 3], "cell")
    atom_type = tf.placeholder(tf.int32, [None], "atom_type")
    frame_row = tf.placeholder(tf.int32, [None], "frame_row")
    fparam = tf.placeholder(tf.float64, [None, numb_fparam], "fparam") if numb_fparam else None
    aparam = tf.placeholder(tf.float64, [None, numb_aparam], "aparam") if numb_aparam else None
    given = coord, cell, atom_type, frame_row
    pairs = pairs_of_present(*given, aparam) if masked else neighbor_pairs(*given, rcut)
    row, neighbor, displacement = pairs
    row = tf.placeholder_with_default(row, [None], "row")
    return Inputs(
        coord,
        cell,
        atom_type,
        frame_row,
        fparam,
        aparam,
        row=row,
        neighbor=tf.placeholder_with_default(neighbor, [None], "neighbor"),
        displacement=tf.placeholder_with_default(displacement, [None, 3], "displacement"),
        num_owned=tf.placeholder_with_default(tf.shape(row)[0] - 1, [], "num_owned"),
    )
