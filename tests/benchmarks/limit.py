"""The least arithmetic of a training step, and the speed of the machine that it is held against.

Multiply-adds of a step on N atoms with P pairs in all, embedding width M, axis A, w_e and w_f
weights of an embedding and a fitting net, and a table of K nodes for each of C embedding nets,
rebuilt every step (K of the run that is timed, else ASSUMED_NODES):

    28 P M      local interpolation: 9 forward, 19 backward for each pair and column
    36 N M A    descriptor, 4 M A a pass: 3 passes for energy and force, 9 with the weight gradient
    6 N w_f     fitting net: 2 passes for energy and force, 4 more for their weight gradient
    12 C K w_e  nodes: value and derivative, 6 passes each

A step of a model of dipoles or polarizabilities, whose loss has no forces, is 18 P M, 12 N M A,
3 N w_f and 6 C K w_e. Of a hybrid, parts without an axis are not counted, and the pairs are those
of the longest cut-off. A program that evaluates the embedding nets on all pairs does more; it is
held against the same number. The speed is that of NumPy's product of two 1024 x 1024 matrices with
as many threads.

    python tests/benchmarks/limit.py float64     # GFLOP/s of that product in this process
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

ASSUMED_NODES = 256  # of a curve
EDGE = 1024  # of the matrices
SECONDS = 0.5  # of products
SAMPLED = 10  # steps whose atoms and pairs are counted


@dataclass(frozen=True)
class Work:
    """Size of a training step, averaged over some steps."""

    atoms: float
    pairs: float
    types: int
    precision: str
    products: float  # without the nodes
    curves: int
    node_products: int  # of one node
    nodes: int | None = None  # of all curves; None is not known

    @property
    def gflop(self) -> float:
        """GFLOP of a step."""
        nodes = ASSUMED_NODES * self.curves if self.nodes is None else self.nodes
        return 2e-9 * (self.products + nodes * self.node_products)

    def __str__(self) -> str:
        known = f"{self.nodes} nodes" if self.nodes else f"{ASSUMED_NODES} nodes each, assumed"
        return (
            f"{self.atoms:.0f} atoms a step, {self.pairs / self.atoms:.1f} neighbours, "
            f"{self.types} types, {self.curves} curves ({known}), {self.precision}: "
            f"at least {self.gflop:.3f} GFLOP a step"
        )


def work_of(script: dict[str, Any]) -> Work:
    """Return the work of a step of the input `script`."""
    from deeptf.data.find import find_systems
    from deeptf.data.pairs import PairFinder
    from deeptf.data.schedule import BatchSchedule
    from deeptf.data.section import Section
    from deeptf.data.system import System
    from deeptf.train.options import load_input

    config = load_input(script)[0]
    model, data = config.model, config.training.training_data
    paths = find_systems(data.systems, data.rglob_patterns)
    systems = [System(path, model.type_map or None) for path in paths]
    schedule = BatchSchedule(Section(systems, data))
    batches = [schedule.batch_at(step) for step in range(SAMPLED)]
    with PairFinder(model.term.descriptor.rcut) as find_pairs:
        pairs = np.mean([len(find_pairs(batch).neighbor) for batch in batches])
    atoms = np.mean([batch.num_atoms for batch in batches])
    types = model.num_types or len(systems[0].type_map)
    descriptor = model.term.descriptor
    net = model.term.fitting_net
    outputs = net.num_outputs(descriptor) if net.type != "ener" else 1
    of_pair, of_atom, of_net, of_node = (28, 36, 6, 12) if net.type == "ener" else (18, 12, 3, 6)
    products = of_net * atoms * _weights([descriptor.width, *net.neuron, outputs])
    curves = per_node = 0
    for part in getattr(descriptor, "list", [descriptor]):
        if hasattr(part, "axis_neuron"):
            width, axis = part.neuron[-1], part.axis_neuron
            products += of_pair * pairs * width + of_atom * atoms * width * axis
            curves += types if part.type_one_side else types**2
            per_node = of_node * _weights([1, *part.neuron])
    kind = "float32" if net.precision in ("float32", "single") else "float64"
    return Work(atoms, pairs, types, kind, products, curves, per_node)


def evaluation_gflop(system: str | os.PathLike, precision: str) -> float:
    """Return the GFLOP of energy and force of the first frame of `system`, with water's usual net.

    They are those of a step without its weight gradient: 28 P M + 12 N M A + 2 N w_f.
    """
    from water import standard_input

    work = work_of(standard_input(system, 1, precision))
    descriptor = standard_input(system, 1)["model"]["descriptor"]
    width, axis = descriptor["neuron"][-1], descriptor["axis_neuron"]
    fitting = _weights([width * axis, 240, 240, 240, 1])
    products = 28 * work.pairs * width + 12 * work.atoms * width * axis + 2 * work.atoms * fitting
    return 2e-9 * products


def measured_peak(precision: str, threads: int) -> float:
    """Return the GFLOP/s of matrix products in a process with that many threads."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(names, str(threads))}
    command = [sys.executable, __file__, precision]
    return float(subprocess.check_output(command, env=environment, text=True))


def _product_speed(precision: str) -> float:
    """Return the best GFLOP/s of products in this process."""
    matrix = np.random.default_rng(0).random((EDGE, EDGE)).astype(precision)
    out = np.empty_like(matrix)
    best, end = np.inf, time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        begin = time.perf_counter()
        np.matmul(matrix, matrix, out=out)
        best = min(best, time.perf_counter() - begin)
    return 2e-9 * EDGE**3 / best


def _weights(widths: list[int]) -> int:
    return sum(n_in * n_out for n_in, n_out in pairwise(widths))


if __name__ == "__main__":
    print(_product_speed(sys.argv[1]))
