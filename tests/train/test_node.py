"""Memory and pipes that workers on one machine open, here threads in the place of processes."""

import select
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import numpy as np
import pytest

from deeptf.train import node as module
from deeptf.train.node import open_node

SIZE = 3


class Total:
    """Sums over the threads."""

    def __init__(self):
        self._all = Barrier(SIZE, timeout=60)
        self._given = []

    def __call__(self, values):
        self._given.append(values)
        self._all.wait()
        total = np.sum(self._given, axis=0)
        if self._all.wait() == 0:
            self._given.clear()
        self._all.wait()
        return total


@pytest.fixture
def files():
    stacks = [ExitStack() for _ in range(SIZE)]
    yield stacks
    for stack in stacks:
        stack.close()


def opened(files, total=None):
    total = total or Total()
    with ThreadPoolExecutor(SIZE) as pool:
        return list(pool.map(lambda rank: open_node(rank, SIZE, total, files[rank]), range(SIZE)))


def test_all_see_one_memory(files):
    nodes = opened(files)
    assert [node.rank for node in nodes] == [0, 1, 2]
    with open(nodes[1].file, "wb") as memory:
        memory.write(b"from 1")
    for node in nodes:
        with open(node.file, "rb") as memory:
            assert memory.read() == b"from 1"


def test_all_see_the_end_of_one(files):
    nodes = opened(files)

    def ended(rank):
        looks = select.poll()
        for pipe in nodes[rank].pipes:
            looks.register(pipe, 0)
        return [nodes[rank].pipes.index(pipe) for pipe, _ in looks.poll(0)]

    assert ended(0) == ended(2) == []
    files[1].close()
    assert ended(0) == ended(2) == [1]


def no_more_files():
    raise OSError("no more files")


def process_that_is_not_here():
    return 1 << 22  # more than Linux ever has


@pytest.mark.parametrize(
    ("name", "replacement"), [("pipe", no_more_files), ("getpid", process_that_is_not_here)]
)
def test_no_memory_where_one_cannot_see_the_others(name, replacement, files, monkeypatch):
    monkeypatch.setattr(module.os, name, replacement)
    assert opened(files) == [None] * SIZE


def test_no_memory_where_files_are_those_of_another_process(files):
    total = Total()

    def shifted(values):
        values = total(values)
        return values + [0, 0, 1] if values.ndim else values  # other identities

    assert opened(files, shifted) == [None] * SIZE
