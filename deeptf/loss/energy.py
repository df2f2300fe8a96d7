"""Loss of an energy model (Zhang et al., PRL 120, 143001, 2018, eq. 10), per frame of N atoms:

    L = p_e (dE)^2 / N + p_f mean |dF|^2 + p_v mean (dV)^2 / N + p_ae mean (dE_i)^2 + p_pf mean w
    |dF|^2

The mean runs over force or virial components; the loss of a batch is the mean over its frames. A
label that a frame does not have contributes nothing. Each prefactor moves with the learning rate,
p(t) = p_limit (1 - lr/lr_0) + p_start lr/lr_0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deeptf.data.batch import Batch
from deeptf.model.inputs import Inputs
from deeptf.model.model import Outputs
from deeptf.tf import tf

TERMS = ("e", "f", "v", "ae", "pf")


@dataclass(frozen=True)
class Labels:
    """Placeholders of the reference values of a batch, float64; eV and A."""

    energy: tf.Tensor  # [F]
    force: tf.Tensor  # [N, 3]
    virial: tf.Tensor  # [F, 9]
    atom_ener: tf.Tensor  # [N]
    atom_pref: tf.Tensor  # [N]
    has: dict[str, tf.Tensor]  # each [F]: 1 where the frame has the label, else 0

    def feed(self, batch: Batch) -> dict[tf.Tensor, np.ndarray]:
        """Return the feed of one batch."""
        feed = {tensor: batch.has[name] for name, tensor in self.has.items()}
        for name in ("energy", "force", "virial", "atom_ener", "atom_pref"):
            feed[getattr(self, name)] = getattr(batch, name)
        return feed


@dataclass(frozen=True)
class EnergyLoss:
    """Prefactors of the loss at the start of training and in the limit of a small learning rate."""

    type: ClassVar[str] = "ener"
    start_pref_e: float = 0.02
    limit_pref_e: float = 1.0
    start_pref_f: float = 1000.0
    limit_pref_f: float = 1.0
    start_pref_v: float = 0.0
    limit_pref_v: float = 0.0
    start_pref_ae: float = 0.0
    limit_pref_ae: float = 0.0
    start_pref_pf: float = 0.0
    limit_pref_pf: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0:
                raise ValueError(f"`{name}` must be at least 0, got {value}")
        if not any(vars(self).values()):
            raise ValueError("`loss` must have a prefactor above 0, got 0 for all of them")

    def prefactors(self, rate_ratio: float) -> np.ndarray:
        """Return the prefactors of TERMS at learning rate `rate_ratio` times the start rate,
        [5].
        """
        start, limit = (
            np.array([getattr(self, f"{end}_pref_{term}") for term in TERMS])
            for end in ("start", "limit")
        )
        return limit * (1 - rate_ratio) + start * rate_ratio

    def labels(self) -> Labels:
        """Create the placeholders of the labels."""
        atom = tf.placeholder(tf.float64, [None], "label_atom_ener")
        weight = tf.placeholder(tf.float64, [None], "label_atom_pref")
        names = ("energy", "force", "virial", "atom_ener", "atom_pref")
        return Labels(
            tf.placeholder(tf.float64, [None], "label_energy"),
            tf.placeholder(tf.float64, [None, 3], "label_force"),
            tf.placeholder(tf.float64, [None, 9], "label_virial"),
            atom,
            weight,
            {name: tf.placeholder(tf.float64, [None], f"has_{name}") for name in names},
        )

    def build(
        self, outputs: Outputs, labels: Labels, inputs: Inputs, prefactors: tf.Tensor
    ) -> tf.Tensor:
        """Return the loss of every frame, [F]; terms whose prefactors are always 0 are left out."""
        frame, num_frames = inputs.frame_of_atom, inputs.num_frames
        num_atoms = tf.cast(inputs.frame_row[1:] - inputs.frame_row[:-1], tf.float64)  # [F]

        def frame_mean(per_atom: tf.Tensor) -> tf.Tensor:
            return tf.math.unsorted_segment_sum(per_atom, frame, num_frames) / num_atoms

        force_square = tf.reduce_mean((outputs.force - labels.force) ** 2, axis=1)  # [N]
        square = {
            "e": labels.has["energy"] * (outputs.energy - labels.energy) ** 2 / num_atoms,
            "f": labels.has["force"] * frame_mean(force_square),
            "v": labels.has["virial"]
            * tf.reduce_mean((outputs.virial - labels.virial) ** 2, axis=1)
            / num_atoms,
            "ae": labels.has["atom_ener"]
            * frame_mean((outputs.atom_energy - labels.atom_ener) ** 2),
            "pf": labels.has["force"]
            * labels.has["atom_pref"]
            * frame_mean(labels.atom_pref * force_square),
        }
        return tf.add_n([prefactors[k] * square[t] for k, t in enumerate(TERMS) if self._uses(t)])

    def errors(self, outputs: Outputs, labels: Labels, inputs: Inputs) -> tf.Tensor:
        """Return sums of squared errors and their numbers, [3, 2].

        Rows: energy per atom (eV), force components (eV/A), virial components per atom (eV).
        """
        num_atoms = tf.cast(inputs.frame_row[1:] - inputs.frame_row[:-1], tf.float64)
        energy = ((outputs.energy - labels.energy) / num_atoms) ** 2
        virial = ((outputs.virial - labels.virial) / num_atoms[:, None]) ** 2
        has_force = tf.gather(labels.has["force"], inputs.frame_of_atom)[:, None]
        force = has_force * (outputs.force - labels.force) ** 2
        sums = [
            [tf.reduce_sum(labels.has["energy"] * energy), tf.reduce_sum(labels.has["energy"])],
            [tf.reduce_sum(force), 3 * tf.reduce_sum(has_force)],
            [
                tf.reduce_sum(labels.has["virial"][:, None] * virial),
                9 * tf.reduce_sum(labels.has["virial"]),
            ],
        ]
        return tf.stack([tf.stack(row) for row in sums])

    def _uses(self, term: str) -> bool:
        return getattr(self, f"start_pref_{term}") > 0 or getattr(self, f"limit_pref_{term}") > 0
