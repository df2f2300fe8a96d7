"""Write a frozen model with embedding tables in the format of this version, and its results.

The files are format_N.pb.gz and format_N.npz; one that is there belongs to the release that wrote
it and is not made again: format_1 came from deeptf 0.1.0, whose op EmbeddingSum had one output and
no attribute `near`. In this folder:

    PYTHONPATH=../..:../../.. python make.py
"""

from __future__ import annotations

import gzip

import numpy as np
from physics_suite import PhysicsSuite
from potentials import Potential
from random_model import random_arrays

from deeptf.exchange import frozen
from deeptf.exchange.model_file import FORMAT
from deeptf.model.descriptor.se_e2_a import SeE2A
from deeptf.model.fitting.ener import EnerFitting
from deeptf.model.model import ModelConfig
from deeptf.model.term.standard import Standard

NAME = f"format_{FORMAT}"


def main() -> None:
    """Write both files to this folder."""
    descriptor = SeE2A((20, 20), 4.0, 1.0, (4, 8), axis_neuron=3)
    config = ModelConfig(Standard(descriptor, EnerFitting(neuron=(6, 6))), ("A", "B"))
    arrays = random_arrays(config, 1)
    graph = frozen.build(config, arrays)
    with open(f"{NAME}.pb.gz", "wb") as stream:
        stream.write(gzip.compress(graph.SerializeToString(), mtime=0))
    suite = PhysicsSuite()
    suite.config = config
    frame = suite.frame()
    results = Potential(config, arrays)([frame])
    outputs = {name: results[name] for name in ("energy", "force", "virial")}
    np.savez(f"{NAME}.npz", coord=frame["coord"], cell=frame["cell"], type=frame["type"], **outputs)


if __name__ == "__main__":
    main()
