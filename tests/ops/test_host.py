"""Ops of several processes on one host: threads, each with a session, in the place of processes.
Their twins are NumPy and the Adam of one process.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import numpy as np
import pytest

from deeptf.ops.host import Host, host_adam, host_sum
from deeptf.ops.optimizer import AdamStep, adam_update
from deeptf.tf import assign, session, tf

SHAPES = [(3, 2), (), (1, 17), (5,), (300, 100), (2, 0), (48,)]
PROCESSES = 3
ROOM = 1 << 24  # bytes of memory, from a second page on
PAGE = 1 << 16  # a multiple of every system's


@pytest.fixture
def host():
    """Return Host of every process, as a function of its rank."""
    with ExitStack() as files:
        memory = os.memfd_create("test")
        os.ftruncate(memory, PAGE + ROOM)
        files.callback(os.close, memory)
        pipes = [os.pipe() for _ in range(PROCESSES)]
        for pipe in pipes:
            for end in pipe:
                files.callback(os.close, end)
        readers = [reads for reads, _ in pipes]
        file, processes = f"/proc/self/fd/{memory}", [os.getpid()] * PROCESSES
        yield lambda rank: Host(file, PAGE, ROOM, rank, readers, processes, 60.0)


def in_every_process(run):
    """Return what run(rank) returns, called at the same time for all."""
    with ThreadPoolExecutor(PROCESSES) as pool:
        return list(pool.map(run, range(PROCESSES)))


def normal(seed, dtype):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in SHAPES]


def summed(step, dtype):
    """Return the sum of what the processes have in a step, in the order of processes."""
    total = normal([step, 0], dtype)
    for rank in range(1, PROCESSES):
        total = [a + b for a, b in zip(total, normal([step, rank], dtype), strict=True)]
    return total


def same(found, wanted):
    return all(a.tobytes() == b.tobytes() for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("threads", [1, 2])
def test_sums_in_the_order_of_processes(host, threads, dtype):
    def run(rank):
        with tf.Graph().as_default() as graph:
            values = [tf.placeholder(dtype, shape) for shape in SHAPES]
            sums = host_sum(host(rank), values)
            assert [s.shape.as_list() for s in sums] == [list(shape) for shape in SHAPES]
            with session(graph, threads) as own:
                for step in range(3):
                    feed = dict(zip(values, normal([step, rank], dtype), strict=True))
                    assert same(own.run(sums, feed), summed(step, dtype))

    in_every_process(run)


class Training:
    """Variables of weights and moments, with a placeholder for the gradient of each."""

    def __init__(self, dtype):
        rng = np.random.default_rng(0)
        first = [rng.normal(size=shape).astype(dtype) for shape in SHAPES]
        self.weights, self.first, self.second = (
            [tf.Variable(factor * array, use_resource=True) for array in first]
            for factor in (1, 0, 0)
        )
        self.gradients = [tf.placeholder(dtype, shape) for shape in SHAPES]
        rate = tf.constant(1e-2, tf.float64)
        self.step = AdamStep(rate, 0.9, 0.99, 1e-8)
        self.variables = [*self.weights, *self.first, *self.second]

    def feed(self, gradients):
        return dict(zip(self.gradients, gradients, strict=True))


def alone(dtype, steps):
    """Return all variables after every step of one process."""
    with tf.Graph().as_default() as graph:
        t = Training(dtype)
        update = adam_update(t.step, t.weights, t.first, t.second, t.gradients)
        with session(graph, 1) as run:
            run.run(tf.global_variables_initializer())
            after = []
            for step in range(steps):
                run.run(update, t.feed(summed(step, dtype)))
                after.append(run.run([v.read_value() + 0 for v in t.variables]))
            return after


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_steps_of_adam_are_those_of_one_process(host, dtype):
    wanted = alone(dtype, 4)

    def run(rank):
        with tf.Graph().as_default() as graph:
            t = Training(dtype)
            numbers = tf.constant([rank, 1], dtype)
            variables = (t.weights, t.first, t.second)
            sums = host_adam(t.step, host(rank), *variables, t.gradients, numbers)
            assert sums.shape.as_list() == [2]
            values = [v.read_value() + 0 for v in t.variables]
            with session(graph, 1) as own:
                own.run(tf.global_variables_initializer())
                for step in range(4):
                    total = own.run(sums, t.feed(normal([step, rank], dtype)))
                    assert total.tolist() == [3, PROCESSES]
                    found = own.run(values)
                    assert same(found, wanted[step])
                    if step == 1:  # from somewhere else, such as a checkpoint
                        for variable, value in zip(t.variables, found, strict=True):
                            assign(own, variable, value)

    in_every_process(run)


def one_array(host, rank):
    """Return a weight and its step by ones, in the current graph."""
    weight, first, second = (tf.Variable(np.zeros(2000), use_resource=True) for _ in range(3))
    step = AdamStep(tf.constant(1.0, tf.float64), 0.9, 0.999, 1e-8)
    before = weight.read_value()
    with tf.control_dependencies([before]):
        gradient = tf.ones([2000], tf.float64)
    numbers = tf.zeros([0], tf.float64)
    return (
        weight,
        before,
        host_adam(step, host(rank), [weight], [first], [second], [gradient], numbers),
    )


def test_who_reads_weights_before_a_step_keeps_them(host):
    def run(rank):
        with tf.Graph().as_default() as graph:
            weight, before, update = one_array(host, rank)
            with tf.control_dependencies([update]):
                late, after = before + 0, weight.read_value() + 0
            with session(graph, 1) as own:
                own.run(tf.global_variables_initializer())
                for _ in range(3):
                    old, new = own.run([late, after])
                    assert len(set(old)) == len(set(new)) == 1 and new[0] < old[0]

    in_every_process(run)


def test_another_op_changes_weights_of_its_own_process_only(host):
    everyone = Barrier(PROCESSES, timeout=60)

    def run(rank):
        with tf.Graph().as_default() as graph:
            weight, _, update = one_array(host, rank)
            added = weight.assign_add(np.full(2000, float(rank)), read_value=False)
            with session(graph, 1) as own:
                own.run(tf.global_variables_initializer())
                own.run(update)
                before = float(own.run(weight)[7])
                everyone.wait()
                own.run(added)
                everyone.wait()
                return float(own.run(weight)[7]) - before

    assert in_every_process(run) == pytest.approx([0, 1, 2])


def test_the_end_of_another_process(host):
    with tf.Graph().as_default() as graph, session(graph, 1) as run:
        mine = host(0)
        reads, writes = os.pipe()
        os.close(writes)
        pair = mine._replace(pipes=[mine.pipes[0], reads], processes=mine.processes[:2])
        sums = host_sum(pair, [tf.ones([2])])
        with pytest.raises(tf.errors.AbortedError, match="process 1 has ended"):
            run.run(sums)
        os.close(reads)


def test_wrong_inputs(host, tmp_path):
    with tf.Graph().as_default() as graph, session(graph, 1) as run:
        values = [tf.placeholder_with_default(tf.ones([2]), None)]
        values[0].set_shape([3])
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"array 0 must have shape \[3\]"):
            run.run(host_sum(host(0), values))
        nowhere = host(0)._replace(file=str(tmp_path / "none"))
        with pytest.raises(tf.errors.InvalidArgumentError, match="must be mapped.*No such file"):
            run.run(host_sum(nowhere, [tf.ones([2])]))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"room": 4099}, "must have room for .* bytes, got 4099"),
        ({"offset": PAGE + ROOM}, "must have room for .* bytes, got 0"),
        ({"rank": PROCESSES}, "`rank` must be below the number of `pipes`"),
        ({"processes": [1, 2]}, "`processes` as many as those"),
    ],
)
def test_a_host_that_cannot_be(host, changed, message):
    with tf.Graph().as_default() as graph, session(graph, 1) as run:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            run.run(host_sum(host(0)._replace(**changed), [tf.ones([2])]))


def test_stderr_tells_of_a_process_that_does_not_come(host, capfd):
    told = []

    def run(rank):
        with tf.Graph().as_default() as graph, session(graph, 1) as own:
            sums = host_sum(host(rank)._replace(patience=0.2), [tf.ones([2])])
            end = time.monotonic() + 60
            while rank == 1 and "ends the run" not in "".join(told) and time.monotonic() < end:
                told.append(capfd.readouterr().err)
            return own.run(sums)[0].tolist()

    assert in_every_process(run) == [[PROCESSES, PROCESSES]] * PROCESSES
    line = "".join(told).splitlines()[0]
    assert line.startswith("deeptf: the others have waited 0 s for worker 1 (process ")
