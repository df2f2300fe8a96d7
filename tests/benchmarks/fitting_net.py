"""Milliseconds and GFLOP/s of the fitting nets, as one op and in plain TensorFlow.

    python tests/benchmarks/fitting_net.py [--rounds 30]

64 O and 128 H atoms, descriptors of width 1600, hidden layers 240, 240, 240 with time steps. Both
ways run in turn; the least time over the rounds counts. "slope" is energy and dE/d(descriptor), as
in a step of molecular dynamics; "gradient" is the further time for the gradient, in descriptor and
weights, of a loss of both, as in a step of training. The GFLOP count the products with the weights
that are needed: two for the slope and four more for the gradient.

Measured on two Zen 3 cores beside other programs (load 3 to 4: figures for two threads say little),
least of 30 rounds in ms, plain / fused:
    float64  1 thread   slope 17.6 / 11.8  gradient 31.0 / 28.2
    float64  2 threads  slope 12.4 / 10.0  gradient 36.9 / 27.3
    float32  1 thread   slope  5.9 /  5.6  gradient 10.6 / 10.9
    float32  2 threads  slope  6.6 /  6.1  gradient 13.3 / 11.7
That is 32 and 27 GFLOP/s float64 on one thread, where the limit of the multiply-add units is 52.
"""

from __future__ import annotations

import argparse
import itertools
import time

import numpy as np

from deeptf.ops.nets import fitting_net
from deeptf.tf import session, tf

COUNT, WIDTH, NEURON = (64, 128), 1600, (240, 240, 240)
PRODUCT = 2e-9 * sum(COUNT) * sum(a * b for a, b in itertools.pairwise((WIDTH, *NEURON, 1)))


def make_net(rng: np.random.Generator, dtype: np.dtype) -> list[tf.Variable]:
    """Return the arrays of one net in the order of `fitting_net`."""
    arrays = []
    for layer, (n_in, n_out) in enumerate(itertools.pairwise((WIDTH, *NEURON))):
        arrays += [rng.normal(0, 1 / np.sqrt(n_in + n_out), (n_in, n_out)), rng.normal(size=n_out)]
        if layer > 0:
            arrays.append(rng.normal(0.1, 0.001, n_out))
    arrays += [rng.normal(size=(NEURON[-1], 1)), rng.normal(size=1)]
    return [tf.Variable(a, dtype=dtype, use_resource=True) for a in arrays]


def plain(descriptor: tf.Tensor, nets: list[list[tf.Variable]]) -> tuple[tf.Tensor, tf.Tensor]:
    """Return energy and slope by TensorFlow's own ops."""
    energies = []
    for x, (w0, b0, *layers, w, b) in zip(tf.split(descriptor, COUNT), nets, strict=True):
        x = tf.tanh(tf.nn.bias_add(x @ w0, b0))
        for k in range(0, len(layers), 3):
            matrix, bias, step = layers[k : k + 3]
            x += step * tf.tanh(tf.nn.bias_add(x @ matrix, bias))
        energies.append(tf.nn.bias_add(x @ w, b)[:, 0])
    energy = tf.concat(energies, axis=0)
    return energy, tf.gradients(energy, descriptor)[0]


def fused(descriptor: tf.Tensor, nets: list[list[tf.Variable]]) -> tuple[tf.Tensor, tf.Tensor]:
    """Return energy and slope by the op."""
    weights = [array for net in nets for array in net]
    return fitting_net(descriptor, COUNT, weights, NEURON, "tanh", True)


def measure(dtype: np.dtype, threads: int, rounds: int) -> None:
    """Print a line for each way."""
    with tf.Graph().as_default() as graph:
        rng = np.random.default_rng(0)
        nets = [make_net(rng, dtype) for _ in COUNT]
        descriptor = tf.Variable(rng.normal(size=(sum(COUNT), WIDTH)), dtype=dtype)
        runs = {}
        for way in (plain, fused):
            energy, slope = way(descriptor.read_value(), nets)
            loss = tf.reduce_sum(energy**2) + tf.reduce_sum(slope**2)
            grads = tf.gradients(loss, [descriptor, *itertools.chain(*nets)])
            runs[way] = ([energy.op, slope.op], [grad.op for grad in grads])
        with session(graph, threads) as run:
            run.run(tf.global_variables_initializer())
            best = {}
            for _ in range(rounds):
                for way, stages in runs.items():
                    for stage, fetch in enumerate(stages):
                        start = time.perf_counter()
                        run.run(fetch)
                        elapsed = 1e3 * (time.perf_counter() - start)
                        best[way, stage] = min(best.get((way, stage), 1e9), elapsed)
    for way in runs:
        first, both = best[way, 0], best[way, 1]
        print(
            f"{np.dtype(dtype).name} {threads} threads {way.__name__:6}"
            f" slope {first:6.2f} ms {2e3 * PRODUCT / first:6.1f} GFLOP/s"
            f"  gradient {both - first:6.2f} ms {4e3 * PRODUCT / (both - first):6.1f} GFLOP/s"
        )


def main() -> None:
    """Measure both precisions with one and two threads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    for dtype, threads in itertools.product((np.float64, np.float32), (1, 2)):
        measure(dtype, threads, rounds)


if __name__ == "__main__":
    main()
