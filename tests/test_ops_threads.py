"""Threads of the ops: loops from several Python threads at once, and errors inside loops."""

import threading

import numpy as np
import pytest

from deeptf import ops
from deeptf.tf import session, tf


def test_sessions_in_several_threads_give_the_same_bits():
    rng = np.random.default_rng(0)
    count = rng.integers(0, 60, 400)
    total = int(count.sum())
    results = []
    with tf.Graph().as_default() as graph:
        out = ops.neighbor_sum(count, rng.normal(size=(total, 4)), rng.normal(size=(total, 100)))
        with session(graph, 4) as run:
            workers = [
                threading.Thread(target=lambda: results.extend(run.run(out) for _ in range(30)))
                for _ in range(4)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        with session(graph, 1) as run:
            alone = run.run(out)
    assert len(results) == 120
    assert all(result.tobytes() == alone.tobytes() for result in results)


def test_an_error_in_a_thread_reaches_the_caller_and_the_next_loop_runs():
    coord = np.random.default_rng(0).uniform(0, 40, (4000, 3))
    bad = coord.copy()
    bad[3999] = bad[3998]  # on top of each other
    cell = np.eye(3)[None] * 40.0
    with tf.Graph().as_default() as graph:
        place = tf.placeholder(tf.float64, [None, 3])
        types = np.zeros(4000, np.int32)
        rows = ops.neighbor_pairs(place, cell, types, np.array([0, 4000], np.int32), 4.0)
        with session(graph, 4) as run:
            with pytest.raises(tf.errors.InvalidArgumentError):
                run.run(rows, {place: bad})
            assert len(run.run(rows, {place: coord})[1]) > 4000
