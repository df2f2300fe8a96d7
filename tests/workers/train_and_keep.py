"""A worker of a test: trains and writes all arrays at the end to weights-RANK.npz.

usage: train_and_keep.py INPUT
"""

import sys

import numpy as np

from deeptf.train import run
from deeptf.train.graph import TrainingGraph


class Kept(TrainingGraph):
    """A training graph that writes its arrays before it is closed."""

    def close(self):
        np.savez(f"weights-{self._workers.rank}.npz", **self.arrays())
        super().close()


run.TrainingGraph = Kept
sys.exit(run.train(sys.argv[1]))
