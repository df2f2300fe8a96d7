"""What a step of LAMMPS takes on many ranks: a model of measured compute and counted traffic.

A step of one rank with n atoms and g ghosts, measured on one core, is the time of the pair style
and that of the rest (lists, ghosts, integration):

    pair = a n + b g + c,    rest = d (n + g)

by least squares of the relative errors over the boxes. On many ranks the places and forces of
ghosts go through a network, which is assumed and not measured: LATENCY for a message, BANDWIDTH for
a rank. What goes through it is counted by what LAMMPS does: each step 6 messages with the places of
all ghosts and 6 with their forces, 24 bytes each; when lists are made 12 more, with atoms that
change ranks and with new ghosts, 8 numbers each. Not in the model: ranks with more atoms than
others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from water import DENSITY

SHELL = 8.0  # A, cut-off and skin
LATENCY, BANDWIDTH = 2e-6, 1e10  # s and bytes/s
REBUILDS = 0.1  # of lists, a step
SIZES = (50, 100, 200, 500, 2000, 10000)  # atoms of a rank


class Box(NamedTuple):
    """A box on one rank."""

    atoms: int
    step: float  # s
    pair: float  # s of it
    ghosts: float


def ghosts(atoms: float) -> float:
    """Return how many ghosts a cubic part with so many atoms has."""
    edge = (atoms / DENSITY) ** (1 / 3)
    return DENSITY * ((edge + 2 * SHELL) ** 3 - edge**3)


def traffic(ghosts: float) -> tuple[float, float]:
    """Return messages and bytes of a rank in a step."""
    return 12 * (1 + REBUILDS), ghosts * (48 + 64 * REBUILDS)


def network(ghosts: float) -> float:
    """Return the seconds of a step that these take."""
    messages, size = traffic(ghosts)
    return messages * LATENCY + size / BANDWIDTH


def fit(boxes: list[Box]) -> tuple[float, float, float, float]:
    """Return a, b, c and d, none of them negative."""
    terms = np.array([[box.atoms, box.ghosts, 1] for box in boxes])
    relative = terms / np.array([[box.pair] for box in boxes])
    found = np.full(3, -1.0)
    while found.min() < 0:
        kept = np.flatnonzero(relative.any(axis=0))
        found = np.zeros(3)
        found[kept] = np.linalg.lstsq(relative[:, kept], np.ones(len(boxes)), rcond=None)[0]
        relative[:, found < 0] = 0  # without that term
    a, b, c = found
    rest = [(box.step - box.pair) / (box.atoms + box.ghosts) for box in boxes]
    return a, b, c, float(np.mean(rest))


def print_table(boxes: list[Box], most: int) -> None:
    """Print time and efficiency of a step on `most` ranks, for several numbers of atoms.

    efficiency : the time of a rank's atoms in a box without borders, over that of the step.
    """
    if len(boxes) < 3:
        print("\nthree boxes are needed for the model of many ranks")
        return
    a, b, c, d = fit(boxes)
    print(
        f"\nmodel of {most} ranks: pair style {1e6 * a:.2f} us an atom, {1e6 * b:.3f} us a ghost,"
    )
    print(
        f"{1e6 * c:.0f} us a step, the rest {1e6 * d:.3f} us an atom and ghost; assumed: a message"
    )
    print(f"takes {1e6 * LATENCY:.0f} us, a rank sends {1e-9 * BANDWIDTH:.0f} GB/s")
    for box in boxes:
        made = a * box.atoms + b * box.ghosts + c + d * (box.atoms + box.ghosts)
        print(f"  {box.atoms} atoms: measured {1e3 * box.step:.3f} ms, model {1e3 * made:.3f} ms")
    print("atoms/rank  all atoms  ghosts  kB/step   ms/step  network  efficiency  steps/s")
    for atoms in SIZES:
        around = ghosts(atoms)
        wait = network(around)
        step = a * atoms + b * around + c + d * (atoms + around) + wait
        print(
            f"{atoms:10d} {atoms * most:10.1e} {around:7.0f} {traffic(around)[1] / 1e3:8.0f}"
            f" {1e3 * step:9.3f} {wait / step:8.1%} {(a + d) * atoms / step:11.1%} {1 / step:8.0f}"
        )
