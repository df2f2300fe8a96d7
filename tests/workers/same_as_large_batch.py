"""A worker of a test: its gradient must be that of one worker with the frames of all.

Sums go by messages, as between hosts, then through shared memory; there also with the gradients
summed before the step, to be clipped.

usage: same_as_large_batch.py INPUT
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from random_model import random_arrays

from deeptf.data.batch import join
from deeptf.data.system import System
from deeptf.train import workers as module
from deeptf.train.graph import TrainingGraph
from deeptf.train.launchers import join_workers
from deeptf.train.options import load_input
from deeptf.train.workers import Workers

PREFACTORS = np.array([1.0, 10.0, 1.0, 0.0, 0.0])


def gradient(config, values, batch, workers, prefactors=PREFACTORS):
    """Return Adam's first moments after a step: the gradient, since beta1 is 0."""
    graph = TrainingGraph(config, values, seed=4, threads=1, workers=workers)
    told = graph.step(batch, 0.0, prefactors)
    arrays = graph.arrays()
    graph.close()
    moments = [v for k, v in sorted(arrays.items()) if k.endswith("/Adam")]
    return told, np.concatenate([np.ravel(m) for m in moments])


def compare(config, workers, way):
    values = random_arrays(config.model)
    system = System("system", ("A", "B"))
    frames = [system.batch([2 * rank, 2 * rank + 1]) for rank in range(workers.size)]
    told, ours = gradient(config, values, frames[workers.rank], workers)
    alone, large = gradient(config, values, join(frames), Workers())
    assert np.abs(ours - large).max() < 1e-10 * np.abs(large).max(), np.abs(ours - large).max()
    assert abs(told.mean_loss - alone.mean_loss) < 1e-12 * alone.mean_loss
    assert not told.stop
    assert workers.share(workers.rank) == 0
    assert workers.sum(np.arange(3.0)).tolist() == [0, workers.size, 2 * workers.size]
    print(f"same gradient by {way}")


def main():
    config, _ = load_input(sys.argv[1])
    # at a length that is never reached
    clipping = replace(config, training=replace(config.training, gradient_max_norm=1e30))
    open_memory, module.open_memory = module.open_memory, lambda *_: None
    workers = join_workers()
    assert not workers.shares_memory
    compare(config, workers, "messages")
    module.open_memory = open_memory
    workers = join_workers()  # ends Horovod's own thread
    assert workers.shares_memory
    compare(config, workers, "memory")
    compare(clipping, workers, "clipped")


if __name__ == "__main__":
    main()
