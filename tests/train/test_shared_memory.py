"""Memory and pipes that workers on one host open, here threads in the place of processes."""

import os
import select
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

import numpy as np
import pytest

from deeptf.train import host as module
from deeptf.train.host import hand_over, open_memory

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


def in_every_worker(run):
    """Return what run(rank) returns, called at the same time for all."""
    with ThreadPoolExecutor(SIZE) as pool:
        return list(pool.map(run, range(SIZE)))


def opened(files, total=None):
    total = total or Total()
    return in_every_worker(lambda rank: open_memory(rank, SIZE, total, files[rank]))


def test_all_see_one_memory(files):
    hosts = [memory.place() for memory in opened(files)]
    assert [host.rank for host in hosts] == [0, 1, 2]
    assert all(host.processes == [os.getpid()] * SIZE for host in hosts)
    with open(hosts[1].file, "r+b") as memory:
        memory.write(b"from 1")
    for host in hosts:
        with open(host.file, "rb") as memory:
            assert memory.read(7) == b"from 1\0"


def test_each_sum_has_a_place_of_its_own_and_no_more_files(files):
    memories = opened(files)
    before = len(os.listdir("/proc/self/fd"))
    places = [[memory.place() for _ in range(5)] for memory in memories]
    assert len(os.listdir("/proc/self/fd")) == before
    for hosts in zip(*places, strict=True):
        assert len({host.offset for host in hosts}) == 1
    begins = [host.offset for host in places[0]]
    room = places[0][0].room
    assert begins == [k * room for k in range(5)] and room > 10**10
    assert os.stat(places[0][0].file).st_size >= begins[-1] + room
    assert os.stat(places[0][0].file).st_blocks == 0  # nothing until something is written


def test_what_one_hands_over_reaches_all():
    total = Total()
    data = os.urandom(1 << 20)

    def given(rank):
        return hand_over(data if rank == 1 else None, total)

    before = len(os.listdir("/proc/self/fd"))
    assert in_every_worker(given) == [data] * SIZE
    assert len(os.listdir("/proc/self/fd")) == before


def test_all_see_the_end_of_one(files):
    hosts = [memory.place() for memory in opened(files)]

    def ended(rank):
        looks = select.poll()
        for pipe in hosts[rank].pipes:
            looks.register(pipe, 0)
        return [hosts[rank].pipes.index(pipe) for pipe, _ in looks.poll(0)]

    assert ended(0) == ended(2) == []
    files[1].close()
    assert ended(0) == ended(2) == [1]


def no_more_files(*_):
    raise OSError("no more files")


def process_that_is_not_here():
    return 1 << 22  # more than Linux ever has


@pytest.mark.parametrize(
    ("name", "replacement"),
    [("pipe", no_more_files), ("ftruncate", no_more_files), ("getpid", process_that_is_not_here)],
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
